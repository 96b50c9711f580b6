"""Does a child still live, by its own word? One that does not for long is to be ended and started again."""

from __future__ import annotations

from .health import Answer, Process

REFUSED = 15.0
"""Seconds of refusals, or of silence, after which a process is given up."""
TIMES = 3
"""At least so many in a row: one who could not look for long has seen nothing."""


class Liveness:
    """Of one child, over all its lives."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._since = 0.0
        self._times = 0

    def complaint(self, process: Process | None, answer: Answer | None, now: float) -> str | None:
        """Why the process must end, in words; None if it lives, is just starting, or may still recover.

        ``process``: as it announced itself, None before it did. ``answer``: what its ``/livez`` just said, None for
        nothing. ``now``: seconds of a monotonic clock. After a complaint the next one takes as long again.
        """
        pid = None if process is None else process.pid
        lives = process is None or (answer is not None and answer.ok)
        if lives or pid != self._pid:
            self._pid, self._times = pid, 0
        if lives:
            return None
        if not self._times:
            self._since = now
        self._times += 1
        if self._times < TIMES or now - self._since < REFUSED:
            return None
        self._times = 0
        said = "does not answer" if answer is None else f"stands still ({answer.text})"
        return f"{said} for {now - self._since:.0f} s"
