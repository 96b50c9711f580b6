"""A small process between the bus and its broker: it stops the broker when the bus dies, even by SIGKILL.

Runs as a script that imports nothing of the project. Its standard input is a pipe whose other end the starter holds:
end of file means that the starter is dead. A child forked by the starter may hold that end, too, so the watchdog also
checks whether its parent has changed. (Linux has ``PR_SET_PDEATHSIG``, but that is tied to the starting *thread*, and
macOS has nothing like it.)
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

#: Seconds between two checks of the parent and the child.
LOOK = 0.5
#: Seconds that the broker gets to close its logs before it is killed.
GRACE = 15.0


def main(arguments: list[str]) -> int:
    """``watchdog.py PARENT COMMAND…``: run the command until it ends, SIGTERM arrives or the process ``PARENT`` dies.

    Returns the command's exit code.
    """
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
