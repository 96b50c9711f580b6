"""A tiny process between the bus and its broker: when the bus dies, however it dies, the broker is stopped.

Run as a script, with nothing of the project imported. Its standard input is a pipe whose other end only the
starter holds: end of file means that the starter is gone, even by SIGKILL. A child that the starter forked may hold
that end too, so a changed parent is looked for as well. (Linux could do it with ``PR_SET_PDEATHSIG``, but that is tied
to the starting *thread*, and macOS has nothing like it.)
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

#: Seconds between two looks at the parent and the child.
LOOK = 0.5
#: Seconds that the broker gets to close its logs before it is killed.
GRACE = 15.0


def main(arguments: list[str]) -> int:
    """``watchdog.py PARENT COMMAND…``: run it until it ends, SIGTERM comes or the parent dies; its exit code."""
    parent, command = int(arguments[0]), arguments[1:]
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)
    while child.poll() is None and not told and os.getppid() == parent:
        if select.select([0], [], [], LOOK)[0] and not os.read(0, 1):
            break
    child.terminate()
    try:
        return child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
