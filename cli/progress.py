"""Progress of a slow command: lines on stderr at growing intervals."""

from __future__ import annotations

import time

from .output import note

FIRST, RAREST = 2.0, 30.0
"""Seconds before the first line, and the longest interval between two."""


class ProgressLine:
    """Prints ``words`` with a number in place of ``{}``, unless a line was printed just before."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._pause = FIRST
        self._due = time.monotonic() + FIRST

    def __call__(self, done: int) -> None:
        """Report that ``done`` items are done."""
        if time.monotonic() >= self._due:
            note(self._words.format(f"{done:,}"))
            self._pause = min(2 * self._pause, RAREST)
            self._due = time.monotonic() + self._pause
