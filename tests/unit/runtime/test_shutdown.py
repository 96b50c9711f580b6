"""Whatever hangs when a process is to end, it ends in time and says why: real processes, real signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[3]
SECONDS = 1.0
"""What the processes here have for their end."""

BEGINNING = f"""
import asyncio, atexit, ctypes, os, signal, sys, threading, time
import structlog, uvloop
from runtime.shutdown import Shutdown

structlog.configure(
    processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
    logger_factory=structlog.PrintLoggerFactory(sys.stderr),
)
ending = Shutdown({SECONDS})

async def ghost():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def work(*helpers):
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    ending.hanging = lambda: ", ".join(one.get_name() for one in asyncio.all_tasks(loop))
    ending.on_request(lambda: loop.call_soon_threadsafe(told.set))
    helping = [asyncio.create_task(one, name=one.__name__) for one in helpers]
    print("ready", flush=True)
    await told.wait()

def run(*helpers):
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(*helpers))

def block():
    time.sleep(3600)

def deadlock():
    # in C: no signal interrupts it, and it holds nothing of the interpreter's
    lock, lib = ctypes.create_string_buffer(256), ctypes.CDLL(None)
    lib.pthread_mutex_lock(lock)
    lib.pthread_mutex_lock(lock)

"""


def ended(
    story: str, *, beginning: str = BEGINNING, told: signal.Signals | None = signal.SIGTERM
) -> tuple[int, float, str]:
    """Runs the process, asks it to end once it is ready: exit code, seconds until its end, what it logged."""
    command = [sys.executable, "-c", beginning + story]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert "ready\n" == process.stdout.readline()
            began = time.monotonic()
            if told is not None:
                process.send_signal(told)
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    return process.returncode, time.monotonic() - began, said


def last_words(said: str) -> dict[str, object]:
    """The one critical line."""
    (line,) = [line for line in said.splitlines() if '"critical"' in line]
    found: dict[str, object] = json.loads(line)
    return found


def test_a_process_of_which_nothing_hangs_ends_by_itself() -> None:
    code, seconds, said = ended("ending.listen(); run()")
    assert (0, "") == (code, said)
    assert seconds < SECONDS


@pytest.mark.parametrize(
    "story",
    [
        "ending.listen(); run(ghost())",
        "ending.listen(); threading.Thread(target=block, name='stubborn').start(); run()",
        "ending.listen(); atexit.register(block); run()",
        "ending.listen(); print('ready', flush=True); block()",
        "ending.listen(); print('ready', flush=True); deadlock()",
        "threading.Thread(target=block, daemon=True).start(); ending.listen(); run(ghost())",
        "ending.listen()\nasync def busy(): block()\nrun(busy())",
    ],
    ids=[
        "a task that can't be cancelled",
        "a thread",
        "an exit handler",
        "no loop",
        "a lock",
        "an older thread",
        "a stuck loop",
    ],
)
def test_whatever_hangs_it_leaves_in_time_and_says_why(story: str) -> None:
    code, seconds, said = ended(story)
    assert (1, "it was asked to stop, and did not stop within 1 s") == (code, last_words(said)["reason"])
    assert SECONDS - 0.1 <= seconds < 10 * SECONDS
    assert "Timeout" not in said  # the last resort was not needed


def test_it_names_what_hangs() -> None:
    _, _, said = ended("ending.listen(); threading.Thread(target=block, name='stubborn').start(); run(ghost())")
    found = last_words(said)
    assert (["stubborn"], "ghost") == (found["threads"], found["hanging"])


def test_an_end_that_began_by_itself_has_its_own_time_and_code() -> None:
    story = "print('ready', flush=True); ending.begin('it failed', 2, 0.5); ending.begin('later', 1); run(ghost())"
    code, seconds, said = ended(story, told=None)
    assert (2, "it failed, and did not stop within 0.5 s") == (code, last_words(said)["reason"])
    assert seconds < 10 * SECONDS


def test_an_error_output_that_takes_nothing_holds_up_no_end() -> None:
    story = "ending.listen(); print('ready', flush=True); os.write(2, b'x' * 10_000_000)"
    command = [sys.executable, "-c", BEGINNING + story]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert b"ready\n" == process.stdout.readline()
            process.terminate()
            assert 1 == process.wait(30)
        finally:
            process.kill()
            process.communicate()


def test_when_no_thread_of_python_gets_to_run_it_leaves_all_the_same() -> None:
    """A function in C that never lets go of the interpreter, in the middle of an end."""
    story = (
        "import ctypes; ending.begin('it failed', 2, 0.5); print('ready', flush=True); ctypes.PyDLL(None).sleep(3600)"
    )
    code, _, said = ended(story, told=None)
    assert 1 == code
    assert "Timeout" in said


WORKER = """
import engine.faust.worker
from pathlib import Path
from tests.integration.engine_toy import build

waits = engine.faust.worker.wait_for_kafka

async def haunted(app, told):
    app.ghost = asyncio.create_task(ghost(), name="ghost")
    print("ready", flush=True)
    return await waits(app, told)

engine.faust.worker.wait_for_kafka = haunted
app = build("127.0.0.1:1", "nobody", Path(sys.argv[1] if len(sys.argv) > 1 else "."), 1, "intake")
"""


def test_a_worker_with_a_task_that_can_not_be_cancelled_leaves_in_time(tmp_path: Path) -> None:
    story = WORKER.replace('sys.argv[1] if len(sys.argv) > 1 else "."', repr(str(tmp_path)))
    code, seconds, said = ended(f"{story}\nsys.exit(engine.faust.worker.run_worker(app, ending=ending))")
    found = last_words(said)
    assert (1, True) == (code, "ghost" in str(found["hanging"]))
    assert seconds < 10 * SECONDS
