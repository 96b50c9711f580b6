"""A Faust worker in this process: no web server, no logging of its own, an exit code that says how it ended."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable

import structlog
import uvloop
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from engine.faust.application import Application
from engine.faust.watchdog import Watchdog
from engine.kafka.broker_errors import fatal
from engine.kafka.errors import Fatal, Permanent
from runtime.log_rate_limit import limit_rate
from runtime.own_time import STEP
from runtime.shutdown import Shutdown

log = structlog.get_logger("engine.faust.worker")

OK = 0
FAILED = 1
PERMANENT = 2
POLL_SECONDS = 1.0
REMIND_SECONDS = 10.0
STOP_SECONDS = 20.0
FAILED_STOP_SECONDS = 5.0
FAILED_END_SECONDS = 10.0
"""Limit of the whole shutdown after a failure: the next start repeats what is left undone, the sooner the better."""
WATCH_SECONDS = 5.0
STILL_SECONDS = 60.0
REBALANCE_SECONDS = 300.0


def run_worker(
    app: Application, *, ending: Shutdown | None = None, preparing: Callable[[], bool] = lambda: False
) -> int:
    """Run until SIGTERM or SIGINT (0) or until a fatal error (1; 2 if a restart does not help); return the exit code.

    Waits for a broker that is down and for topics that do not exist yet. A stop finishes the units of work under way. A
    shutdown that hangs is cut short (see ``runtime.shutdown``; the process exits with 1 or 2): the next owner fences
    what was open. A worker that makes no progress for a minute ends too, unless it is ``preparing`` (agents that do not
    read yet). Two workers never share a data directory (nor, on one machine, an instance id): the second ends with 1.

    ``ending``: pass it if threads were started before this call; it handles signals already.
    """
    ending = ending or Shutdown()
    ending.listen()
    with app.lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.critical("worker must end", reason=f"another worker uses {app.lock.parent}")
            return FAILED
        limit_rate("aiokafka")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_run(app, ending, preparing))


async def _run(app: Application, ending: Shutdown, preparing: Callable[[], bool]) -> int:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    ending.hanging = lambda: _at_work(loop)
    ending.on_request(lambda: loop.call_soon_threadsafe(told.set))
    app.on_failure = lambda failure: ending.begin(str(failure), _code(failure), FAILED_END_SECONDS)
    beating = asyncio.create_task(_beat(app), name="pulse")
    try:
        return await _work(app, ending, told, preparing)
    finally:
        ending.begin("the worker has stopped", FAILED if app.failure is None else _code(app.failure))
        beating.cancel()


async def _beat(app: Application) -> None:
    while True:
        app.pulse.beat()
        await asyncio.sleep(STEP)


def _at_work(loop: asyncio.AbstractEventLoop) -> str:
    """The names of the tasks still running, for the last log line; called from another thread."""
    found = {f"{getattr(one.get_coro(), '__qualname__', '?')} ({one.get_name()})" for one in asyncio.all_tasks(loop)}
    return ", ".join(sorted(found))


async def _work(app: Application, ending: Shutdown, told: asyncio.Event, preparing: Callable[[], bool]) -> int:
    if not await wait_for_kafka(app, told):
        return OK
    starting = asyncio.create_task(app.start())
    ends = {asyncio.create_task(wait) for wait in (told.wait(), app.failed.wait(), app.wait_until_stopped())}
    await asyncio.wait({starting, *ends}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done() and starting.exception() is None:
        log.info("worker started")
        ends.add(asyncio.create_task(_watch(app, preparing)))
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    _note_crash(app, starting)
    if not told.is_set():
        app.fatal(Fatal("the worker stopped by itself"))
    app.leaving = True
    for task in ends:
        task.cancel()
    code = _code(app.failure)
    log.info("worker is stopping", code=code)
    # a separate task instead of a time-out: Faust's wait_empty swallows cancellation
    stopping = asyncio.create_task(_stop(app, starting), name="stop")
    seconds = FAILED_STOP_SECONDS if code else STOP_SECONDS
    done, _ = await asyncio.wait({stopping}, timeout=seconds)
    if not done:
        why = "it was asked to stop" if app.failure is None else str(app.failure)
        ending.begin(f"{why}, and stopping took more than {seconds:g} s", code or FAILED, 0)
        return code or FAILED
    if (error := stopping.exception()) is not None:
        log.error("stopping the worker failed", error=repr(error))
        code = FAILED
    log.info("worker stopped", code=code)
    return code


def _code(failure: Fatal | None) -> int:
    if failure is None:
        return OK
    return PERMANENT if isinstance(failure, Permanent) else FAILED


async def _stop(app: Application, starting: asyncio.Task[None]) -> None:
    if app.failure:
        app.conf.stream_wait_empty = False  # the batch that failed is never done
    await asyncio.gather(*(listener.close() for listener in app.listeners))
    await app.stop()
    starting.cancel()
    await asyncio.wait({starting})


async def _watch(app: Application, preparing: Callable[[], bool]) -> None:
    """Return when the worker makes no progress."""
    watchdog = Watchdog(STILL_SECONDS, REBALANCE_SECONDS)
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        complaint = watchdog.complaint(
            app.progress(),
            app.pulse.seconds,
            rebalancing=app.rebalancing,
            restoring=preparing() or not all(listener.ready for listener in app.listeners),
        )
        if complaint is not None:
            app.fatal(Fatal(complaint))
            return


def _note_crash(app: Application, starting: asyncio.Task[None]) -> None:
    """The death of one of Faust's services is fatal, too."""
    error = app.crash_reason
    if error is None and starting.done() and not starting.cancelled():
        error = starting.exception()
    if error is not None:
        app.fatal(fatal("Faust crashed", error))


async def wait_for_kafka(app: Application, told: asyncio.Event) -> bool:
    """Wait until a broker answers and has all topics that are needed; false if asked to stop meanwhile.

    A Faust worker that starts without its topics would consume nothing, silently.
    """
    loop = asyncio.get_running_loop()
    remind = loop.time()
    while not told.is_set():
        missing = await _missing_topics(app)
        if missing is not None and not missing:
            return True
        if loop.time() >= remind:
            remind = loop.time() + REMIND_SECONDS
            if missing is None:
                log.warning("waiting for broker", bootstrap=app.bootstrap)
            else:
                log.warning("waiting for topics, create them first", missing=sorted(missing))
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await told.wait()
        except TimeoutError:
            continue
    return False


async def _missing_topics(app: Application) -> set[str] | None:
    """Topics that do not exist; ``None`` when no broker answers."""
    client = AIOKafkaClient(bootstrap_servers=app.bootstrap, request_timeout_ms=5_000)
    try:
        await client.bootstrap()
        cluster = await client.fetch_all_metadata()
        return app.needs - set(cluster.topics())
    except (KafkaError, OSError):
        return None
    finally:
        await client.close()
