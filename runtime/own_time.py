"""The time that this process got to work in: what a machine that is too busy takes from it is not counted."""

from __future__ import annotations

import time
from pathlib import Path

STEP = 0.1
"""Seconds between two turns of a loop that has nothing else to do."""
MOST = 2 * STEP
"""No turn counts for more: in a process that was stopped, or whose loop was held up, nothing could be noticed."""

_THREAD, _MAIN = Path("/proc/thread-self/schedstat"), Path("/proc/self/schedstat")


def queued(schedstat: Path = _THREAD) -> float:
    """Seconds for which this thread was ready to run while others had the processors; 0 where no system says so."""
    try:
        return int(schedstat.read_bytes().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class OwnTime:
    """Counts seconds of work that was possible, one turn of the loop after the other.

    ``now``: a monotonic clock. ``queue``: what ``queued`` says at the same moment. Of the time since the last turn
    counts what was not spent in the queue for a processor, and no more than ``MOST``.
    """

    def __init__(self, now: float, queue: float) -> None:
        self.seconds = 0.0
        """What has been counted so far."""
        self._now, self._queue = now, queue

    def turn(self, now: float, queue: float) -> float:
        """Count the time since the last turn; the sum."""
        possible = (now - self._now) - max(0.0, queue - self._queue)
        self.seconds += min(MOST, max(0.0, possible))
        self._now, self._queue = now, queue
        return self.seconds


class Pulse:
    """The beats of the main thread's loop, and how long the last one is ago: asked from another thread."""

    def __init__(self) -> None:
        self._own = OwnTime(time.monotonic(), queued(_MAIN))
        self._last = (time.monotonic(), queued(_MAIN))

    @property
    def seconds(self) -> float:
        """Own time up to the last beat."""
        return self._own.seconds

    def beat(self) -> None:
        """The loop turns. Call it from the main thread, about every ``STEP``."""
        self._last = (time.monotonic(), queued(_MAIN))
        self._own.turn(*self._last)

    def age(self) -> float:
        """Seconds since the last beat, without those for which the main thread waited for a processor."""
        then, queue = self._last
        return max(0.0, time.monotonic() - then - max(0.0, queued(_MAIN) - queue))
