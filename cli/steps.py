"""Reports the steps of a command that starts processes: what is ready, where, and how long it took."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Protocol, TextIO

from .output import obeys_escapes


class Reporter(Protocol):
    """Receives the events of a ``Supervisor``. May be called from any thread."""

    def done(self, what: str, where: str, seconds: float | None = None) -> None:
        """``what`` is ready at the address or path ``where``, after ``seconds``."""

    def trouble(self, words: str) -> None:
        """Something died and will be started again."""


class SilentSteps:
    """A ``Reporter`` that prints nothing."""

    def done(self, what: str, where: str, seconds: float | None = None) -> None:
        """Nothing."""

    def trouble(self, words: str) -> None:
        """Nothing."""


class Steps:
    """A ``Reporter`` that prints one line for each step."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        colours = self._stream.isatty() and obeys_escapes()
        self._tick, self._mark = ("\033[32m✓\033[0m", "\033[33m!\033[0m") if colours else ("✓", "!")

    def done(self, what: str, where: str, seconds: float | None = None) -> None:
        """``  ✓ worker 0       http://127.0.0.1:4711/metrics          3.1 s``"""
        took = "" if seconds is None else f"{seconds:6.1f} s"
        self.say(f"  {self._tick} {what:<12} {where:<52}{took}".rstrip())

    def trouble(self, words: str) -> None:
        """``  ! worker 0 ended…``"""
        self.say(f"  {self._mark} {words}")

    def say(self, words: str) -> None:
        """Print one line of text."""
        with suppress(OSError):  # a closed terminal is no reason to stop the bus
            print(words, file=self._stream, flush=True)
