"""Runs the bus on one machine: starts, restarts and stops the embedded broker (if any), the workers and the sink."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agents import topic_admin
from deploy.broker import AlreadyRunning, BrokerFailed, EmbeddedBroker
from runtime.cores import usable_cores
from runtime.settings import Settings
from runtime.shutdown import Shutdown
from schemas.registry import Registry

from .child import Backoff, Child
from .health import LOCK, ask, forget_dead, supervised
from .liveness import Liveness
from .problem import Code, Problem
from .steps import Reporter

LOOK = 0.2
"""Seconds between two checks whether the children and the broker still run."""
PULSE, PATIENCE = 2.0, 5.0
"""Seconds between two requests to a child's ``/livez``, and the time-out of one."""
READY = 120.0
"""Time-out of a start in seconds: 20 times what it takes on a small machine."""
GRACE = 10.0
"""Seconds that workers and sink have to finish their work. The next start repeats what is unfinished."""


class Supervisor:
    """Starts the bus and keeps it running until ``stop``.

    As a context manager it starts the bus on entry and stops it on exit, also after an exception. If its process is
    killed, its children notice and end (``parent_watch``, ``deploy.watchdog``).

    ``ending``: the end of this process, if it ends with the bus.
    """

    def __init__(
        self, settings: Settings, reporter: Reporter, *, verbose: bool = False, ending: Shutdown | None = None
    ) -> None:

        self._settings = settings
        self._reporter = reporter
        self._ending = ending
        self._verbose = ["--verbose"] if verbose else []
        self._data_dir = settings.data_dir.absolute()
        self._broker = EmbeddedBroker(self._data_dir) if settings.embedded else None
        self._backoff = Backoff()
        self._environ: dict[str, str] = {}
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._restarting = False
        self._failure: Exception | None = None
        self._over = threading.Event()
        self._lock: int | None = None
        self._up: set[str] = set()
        """Titles of the children that were reported as ready."""
        self.bootstrap = settings.bootstrap or ""
        """Bootstrap servers; for the embedded Kafka empty until its start."""
        self.children = tuple(self._family())
        """The workers and the sink."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _family(self) -> Iterator[Child]:
        for number in range(self._settings.worker_count(usable_cores())):
            arguments = [*self._verbose, "worker", "--name", str(number)]
            yield Child(f"worker {number}", f"worker-{number}", arguments, self._data_dir)
        yield Child("sink", "sink", [*self._verbose, "sink"], self._data_dir)

    # --- starting and stopping --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the broker, create the topics, start the children; ``wait_ready`` waits until they are ready.

        Raises ``Problem``, and what ``EmbeddedBroker.start`` and ``agents.topic_admin.apply`` raise.
        """
        self._lock = _claim(self._data_dir, [child.note for child in self.children])
        try:
            forget_dead(self._data_dir)
            self._environ = environment(self._settings, self.bootstrap)  # first: it raises for a missing setting
            if self._broker is not None:
                began = time.monotonic()
                self.bootstrap = self._broker.start()
                self._reporter.done("Kafka", self.bootstrap, time.monotonic() - began)
            self._apply_topics()
            self._environ["CXBUS_BOOTSTRAP"] = self.bootstrap
            for number, child in enumerate(self.children):
                child.start(self.environment_of(number))
            self._watcher.start()
            threading.Thread(target=self._take_pulses, name="pulses", daemon=True).start()
        except BaseException:  # Ctrl-C too
            self.stop()
            raise

    def ready(self) -> bool:
        """Whether all children report that they are ready."""
        return all(child.health().ok for child in self.children)

    def wait_ready(self, seconds: float = READY) -> None:
        """Return when all children are ready; report each one when it is.

        Raises ``Problem`` after ``seconds``, or when a child ends with an error that a restart does not fix.
        """
        began = time.monotonic()
        waiting = list(self.children)
        while waiting:
            for child in tuple(waiting):
                health = child.health()
                process = child.process()
                if health.ok and process is not None:
                    waiting.remove(child)
                    self._up.add(child.title)
                    self._reporter.done(child.title, f"{process.url}/metrics", time.monotonic() - began)
                elif time.monotonic() - began > seconds:
                    raise Problem(child.gave_up(f"is not ready after {seconds:.0f} s: {health.text}"), Code.AWAY)
            if self._failure is not None:
                raise self._failure
            time.sleep(LOOK)

    def wait(self) -> None:
        """Wait until Ctrl-C. Raises the exception of the watching thread, if there is one."""
        self._over.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop the children, then the broker; kill what does not end in time. Ignores Ctrl-C. Idempotent."""
        with uninterrupted():
            self._stopping.set()
            if self._ending is not None:
                self._ending.begin("the bus was asked to stop", Code.WRONG)
            for child in self.children:
                child.terminate()
            if self._watcher.is_alive() and self._watcher is not threading.current_thread():
                self._join_watcher()
            until = time.monotonic() + GRACE
            for child in self.children:
                child.terminate()  # again: the watcher may have just restarted it
            for child in self.children:
                child.wait(until)
            if self._broker is not None:
                self._broker.stop()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _join_watcher(self) -> None:
        """Wait for the watcher's end. It may be waiting for a broker that it restarted: then end that broker."""
        self._watcher.join(2 * LOOK)
        while self._watcher.is_alive():
            if self._restarting and self._broker is not None:
                with suppress(RuntimeError, OSError):  # not running, or just ended
                    os.killpg(self._broker.group, signal.SIGTERM)
            self._watcher.join(1)

    def _apply_topics(self) -> None:

        began, registry = time.monotonic(), Registry.discover()
        copies = self._settings.replication or topic_admin.replication(self.bootstrap)
        topics = registry.topics(self._settings.partition_count(), copies)
        changes = topic_admin.apply(self.bootstrap, topics)
        made = sum(change.kind == "created" for change in changes)
        words = f"{len(topics)}, {made} of them new" if made else f"{len(topics)}"
        self._reporter.done("topics", words, time.monotonic() - began)
        for change in changes:
            if change.kind == "differs":
                self._reporter.trouble(f"topic {change}")

    # --- watching ---------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        try:
            self._look_after()
        except Exception as error:  # noqa: BLE001 -- the thread's edge: ``wait`` raises it
            self._failure = error
        finally:
            self._over.set()

    def _look_after(self) -> None:
        ill: dict[str, float] = {}
        while not self._stopping.wait(LOOK):
            if self._broker is not None and self._broker.exit_code() is not None:
                self._restarting = True
                self._restart_broker()
                self._restarting = False
            for number, child in enumerate(self.children):
                if self._stopping.is_set():
                    return
                words = child.restart_if_due(self.environment_of(number))
                if words and not self._stopping.is_set():
                    self._reporter.trouble(words)
                    ill.setdefault(child.title, time.monotonic())
                elif ill.keys() & self._up & {child.title} and child.health().ok and (process := child.process()):
                    self._reporter.done(child.title, f"{process.url}/metrics", time.monotonic() - ill.pop(child.title))

    def _take_pulses(self) -> None:
        """End children that are no longer alive by their ``/livez``; the watcher starts them again."""
        pulses = [Liveness() for _ in self.children]
        while not self._stopping.wait(PULSE):
            for child, pulse in zip(self.children, pulses, strict=True):
                process = child.process()
                answer = ask(process.url, "/livez", PATIENCE) if process else None
                complaint = pulse.complaint(process, answer, time.monotonic())
                still = process is not None and child.pid == process.pid  # it may have been restarted meanwhile
                if complaint and still and not self._stopping.is_set():
                    self._reporter.trouble(f"{child.title} {complaint}; restarting it")
                    child.end()

    def _restart_broker(self) -> None:
        """Restart a dead broker. Its clients wait for it; they are restarted only if its port has changed."""

        assert self._broker is not None
        self._reporter.trouble(f"Kafka ended with exit code {self._broker.exit_code()}; restarting it")
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                bootstrap = self._broker.start()
            except (BrokerFailed, AlreadyRunning) as failure:
                if self._stopping.wait(self._backoff.after(time.monotonic() - began)):
                    return
                self._reporter.trouble(f"{failure} Trying again.")
                continue
            self._reporter.done("Kafka", bootstrap, time.monotonic() - began)
            if bootstrap != self.bootstrap:
                self.bootstrap = self._environ["CXBUS_BOOTSTRAP"] = bootstrap
                for child in self.children:
                    child.terminate()
            return

    def environment_of(self, number: int) -> dict[str, str]:
        """The environment of child ``number``. If a port is set, the children's ops pages have consecutive ports."""
        port = self._settings.ops_port
        return {**self._environ, "CXBUS_OPS_PORT": str(port + number if port else 0)}


def environment(settings: Settings, bootstrap: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``environ`` plus all ``settings``, so that a child has exactly the same settings. Raises ``SettingsError``."""
    exact: dict[str, Any] = settings.model_dump(exclude_none=True) | {
        "bootstrap": bootstrap,
        "partitions": settings.partition_count(),
        "identity_key": settings.key().decode(),
        "data_dir": settings.data_dir.absolute(),
    }
    if settings.rules_dir is not None:
        exact["rules_dir"] = settings.rules_dir.absolute()
    return dict(environ) | {
        f"CXBUS_{name.upper()}": json.dumps(value) if isinstance(value, list) else str(value)
        for name, value in exact.items()
    }


def _claim(data_dir: Path, children: Sequence[str]) -> int:
    """Take the data directory's lock; returns the file descriptor, which must stay open. The file names this process
    and its children (``health.Supervised``).

    Raises ``Problem`` if another process holds the lock.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        other = supervised(data_dir)
        raise Problem(
            f"The bus is already running here{f' (process {other.pid})' if other else ''}: {data_dir} is in use. "
            "See it with `cxbus status`, stop it with Ctrl-C there, or name another directory: "
            "cxbus --data-dir DIR run.",
            Code.USAGE,
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, json.dumps({"pid": os.getpid(), "children": list(children)}).encode())
    return lock


@contextmanager
def interruptible() -> Iterator[None]:
    """In the block SIGTERM and SIGHUP raise ``KeyboardInterrupt``, like Ctrl-C. Main thread only.

    If SIGHUP is ignored (``nohup``), it stays ignored.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore SIGINT, SIGTERM and SIGHUP in the block, which already does what they ask for.

    No effect outside the main thread, which gets all signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
