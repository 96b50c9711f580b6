"""The watchdog, with small Python programs in the place of the broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy import watchdog

FOREVER = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]


@contextmanager
def watched(command: list[str], script: str = watchdog.__file__) -> Iterator[subprocess.Popen[str]]:
    """A watchdog that this test is the starter of; nothing of it is left afterwards, whatever happens."""
    with subprocess.Popen(
        [sys.executable, script, str(os.getpid()), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def within(seconds: float, true: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_the_exit_code_is_that_of_the_command() -> None:
    with watched([sys.executable, "-c", "raise SystemExit(7)"]) as process:
        assert process.wait(10) == 7


def test_the_command_ends_when_the_pipe_ends() -> None:
    with watched(FOREVER) as process:
        command = int(first_line(process))
        process.communicate(timeout=10)
        assert not alive(command)


def test_the_command_ends_with_sigterm() -> None:
    with watched(FOREVER) as process:
        command = int(first_line(process))
        process.terminate()
        process.wait(10)
        assert not alive(command)


def test_the_command_ends_when_the_starter_is_killed_although_a_fork_of_it_holds_the_pipe(tmp_path: Path) -> None:
    starter = tmp_path / "starter.py"
    starter.write_text(
        "import os, subprocess, sys, time\n"
        "process = subprocess.Popen([sys.executable, sys.argv[1], str(os.getpid()), *sys.argv[2:]],\n"
        "                           stdin=subprocess.PIPE, start_new_session=True)\n"
        "if os.fork() == 0:\n"
        "    time.sleep(20)\n"
        "    os._exit(0)\n"
        "process.wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, starter, watchdog.__file__, *FOREVER],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        command = int(first_line(process))
        time.sleep(0.2)  # for the fork
        process.kill()
        process.wait()
        try:
            assert within(10, lambda: not alive(command))
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # the fork


def test_a_command_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    script = Path(watchdog.__file__).read_text().replace("GRACE = 15.0", "GRACE = 0.5")
    hasty = tmp_path / "hasty.py"
    hasty.write_text(script)
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {FOREVER[-1]}"
    with watched([sys.executable, "-c", deaf], script=str(hasty)) as process:
        command = int(first_line(process))
        process.communicate(timeout=10)
        assert not alive(command)
