"""A child ends with its supervisor, however that one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from cli.parent_watch import SUPERVISOR, watch_parent

CHILD = """
import signal, sys, time
from cli.parent_watch import watch_parent
told = []
signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
assert watch_parent()
print("watches_parent", flush=True)
while not told or {stubborn}:
    time.sleep(0.05)
"""
PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], env={**os.environ, sys.argv[2]: str(os.getpid())})
print(child.pid, flush=True)
child.wait()
"""


def gone(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(("stubborn", "seconds"), [(False, 4.0), (True, 10.0)])
def test_a_child_ends_when_its_supervisor_is_killed(stubborn: bool, seconds: float) -> None:
    code = CHILD.replace("{stubborn}", str(stubborn))
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, code, SUPERVISOR], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert "watches_parent\n" == parent.stdout.readline()
        parent.kill()
        parent.wait()
        try:
            assert gone(child, seconds)
        finally:
            if not gone(child, 0.1):
                os.kill(child, signal.SIGKILL)


def test_without_a_supervisor_nothing_is_tied() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert not watch_parent({})
    assert before == signal.getsignal(signal.SIGINT)
