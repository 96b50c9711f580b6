"""What ties a child process to its supervisor: when the supervisor dies, however it dies, the child ends too."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping

#: Names the supervisor's process in a child's environment.
SUPERVISOR = "CXBUS_SUPERVISOR"
#: Seconds between two looks at the parent.
LOOK = 0.5
#: Seconds for an orderly end: Kafka may be gone as well, and what is not finished is done again by the next start.
GRACE = 5.0


def watch_parent(environ: Mapping[str, str] = os.environ) -> bool:
    """In a child of a supervisor: end with it, and leave Ctrl-C to it. Elsewhere do nothing. Tells which it was.

    Call it before anything slow. An orphan gets another parent (init's, or a subreaper's number), which is how its
    loss shows on every system.
    """
    supervisor = environ.get(SUPERVISOR)
    if supervisor is None:
        return False
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the process is ready for it
    threading.Thread(target=_watch, args=(int(supervisor),), name="parent-watch", daemon=True).start()
    return True


def _watch(supervisor: int) -> None:
    # a request to end is for the thread that listens (runtime.ending)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while os.getppid() == supervisor:
        time.sleep(LOOK)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
