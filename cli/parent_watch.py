"""Ends a child process when its supervisor dies, even by SIGKILL."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping

#: Environment variable of a child with the supervisor's process id.
SUPERVISOR = "CXBUS_SUPERVISOR"
#: Seconds between two checks of the parent.
LOOK = 0.5
#: Seconds for an orderly end. It is short: Kafka may be gone, too, and the next start repeats unfinished work.
GRACE = 5.0


def watch_parent(environ: Mapping[str, str] = os.environ) -> bool:
    """In a child of a supervisor: end when it dies, ignore Ctrl-C, and return True. Elsewhere do nothing: False.

    Call it before anything slow. The parent's death shows on every system as another parent process id (init's, or a
    subreaper's).
    """
    supervisor = environ.get(SUPERVISOR)
    if supervisor is None:
        return False
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the process installs its own handler
    threading.Thread(target=_watch, args=(int(supervisor),), name="parent-watch", daemon=True).start()
    return True


def _watch(supervisor: int) -> None:
    # termination signals are for the thread that waits for them (runtime.shutdown)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while os.getppid() == supervisor:
        time.sleep(LOOK)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
