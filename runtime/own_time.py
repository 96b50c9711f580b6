"""Own time: the time in which this process could work, without what a busy machine takes from it."""

from __future__ import annotations

import time
from pathlib import Path

STEP = 0.1
"""Seconds between two turns of an idle loop."""
MOST = 2 * STEP
"""Most seconds that a turn counts: a process that was stopped, or whose loop was blocked, could notice nothing then."""

_THREAD, _MAIN = Path("/proc/thread-self/schedstat"), Path("/proc/self/schedstat")


def queued(schedstat: Path = _THREAD) -> float:
    """Seconds for which this thread was ready to run but waited for a processor; 0 where the system does not say."""
    try:
        return int(schedstat.read_bytes().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class OwnTime:
    """Counts own time in seconds, one turn of the loop after the other.

    ``now``: a monotonic clock. ``queue``: what ``queued`` says at the same moment. The time since the last turn counts,
    without what was spent waiting for a processor, and no more than ``MOST``.
    """

    def __init__(self, now: float, queue: float) -> None:
        self.seconds = 0.0
        """Own time so far."""
        self._now, self._queue = now, queue

    def turn(self, now: float, queue: float) -> float:
        """Count the time since the last turn; returns the sum in seconds."""
        possible = (now - self._now) - max(0.0, queue - self._queue)
        self.seconds += min(MOST, max(0.0, possible))
        self._now, self._queue = now, queue
        return self.seconds


class Pulse:
    """The heartbeat of the main thread's loop: other threads ask how long ago the last beat was."""

    def __init__(self) -> None:
        self._own = OwnTime(time.monotonic(), queued(_MAIN))
        self._last = (time.monotonic(), queued(_MAIN))

    @property
    def seconds(self) -> float:
        """Own time up to the last beat, in seconds."""
        return self._own.seconds

    def beat(self) -> None:
        """Record a turn of the loop. Call it in the main thread, about every ``STEP`` seconds."""
        self._last = (time.monotonic(), queued(_MAIN))
        self._own.turn(*self._last)

    def age(self) -> float:
        """Seconds since the last beat, without those in which the main thread waited for a processor."""
        then, queue = self._last
        return max(0.0, time.monotonic() - then - max(0.0, queued(_MAIN) - queue))
