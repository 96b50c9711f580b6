"""Judges by its ``/livez`` page whether a child process is alive. One that is not for too long must be restarted."""

from __future__ import annotations

from .health import AnnouncedProcess, PageAnswer

REFUSED = 15.0
"""Seconds of failed or unanswered checks after which a process must end."""
TIMES = 3
"""At least so many failed checks in a row: after a long pause of the checker itself one would not be enough."""


class Liveness:
    """The liveness of one child, over all its restarts."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._since = 0.0
        self._times = 0

    def complaint(self, process: AnnouncedProcess | None, answer: PageAnswer | None, now: float) -> str | None:
        """Why the process must end, as text; None if it is alive, is just starting, or may still recover.

        ``process``: as it announced itself, None before it did. ``answer``: the response of ``/livez``, None without
        one. ``now``: seconds of a monotonic clock. After a complaint the count starts again.
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
        said = "has not answered" if answer is None else f"has been stuck ({answer.text})"
        return f"{said} for {now - self._since:.0f} s"
