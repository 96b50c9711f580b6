"""How far a command is that takes its time: a line on stderr now and then, ever more rarely."""

from __future__ import annotations

import time

from .output import note

FIRST, RAREST = 2.0, 30.0
"""Seconds before the first line, and between two at most."""


class Progress:
    """Says ``words`` with a number in place of ``{}``, unless it was said just before."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._pause = FIRST
        self._due = time.monotonic() + FIRST

    def __call__(self, done: int) -> None:
        """So many are done."""
        if time.monotonic() >= self._due:
            note(self._words.format(f"{done:,}"))
            self._pause = min(2 * self._pause, RAREST)
            self._due = time.monotonic() + self._pause
