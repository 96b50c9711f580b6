"""One child process of the supervisor: start, log file, health, and restart after growing pauses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .health import AnnouncedProcess, PageAnswer, announced, ask
from .parent_watch import SUPERVISOR
from .problem import TOLD, Code, Problem

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a dead process is started again: the first pause, and the longest; each is twice the one before."""
LONG_LIVED = 60.0
"""Seconds of running after which the next pause is ``FIRST_PAUSE`` again."""
GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL for a process that no longer works."""
LOG_BYTES = 10 * 1024 * 1024
"""A log longer than this is rotated at the next start; one older log is kept."""


COMMAND = [sys.executable, "-P", "-m", "cli.main"]
"""-P: do not import a folder `core` or `schemas` of the user's current directory."""


class Backoff:
    """How long to wait before the next start."""

    def __init__(self) -> None:
        self._pause = FIRST_PAUSE

    def after(self, lived: float) -> float:
        """The pause (s) before the restart of a process that ran for ``lived`` seconds."""
        if lived >= LONG_LIVED:
            self._pause = FIRST_PAUSE
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause


def last_words(lines: Sequence[str]) -> str | None:
    """Why a process ended, if its log says so: its last critical line, or the error message of a command."""
    for line in reversed(lines):
        if line.startswith(TOLD):
            return line.removeprefix(TOLD)
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("level") == "critical":
            return str(said.get("reason") or said.get("event"))
    return None


class Child:
    """A ``cxbus`` command in its own process. ``note`` is the name under which it announces its ops pages."""

    def __init__(self, title: str, note: str, arguments: Sequence[str], data_dir: Path) -> None:
        self.title = title
        self.note = note
        self.log = data_dir / "logs" / f"{note}.log"
        self.exit_code: int | None = None
        """Exit code of the last run; None before its end."""
        self._arguments = arguments
        self._data_dir = data_dir
        self._backoff = Backoff()
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._due = 0.0
        self._killed_at: float | None = None
        self._logged = 0

    @property
    def pid(self) -> int | None:
        """The process id; None while it does not run."""
        return self._process.pid if self._process else None

    def start(self, environ: Mapping[str, str]) -> None:
        """Start it with these settings in its environment."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._logged = self.log.stat().st_size if self.log.exists() else 0
        self._started, self._killed_at = time.monotonic(), None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, *self._arguments],
                env={**environ, SUPERVISOR: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def restart_if_due(self, environ: Mapping[str, str]) -> str | None:
        """Restart a dead process when its pause is over. Returns a message for people if something happened.

        Raises ``Problem`` when the process ended with the exit code that says that a restart does not help.
        """
        now, process = time.monotonic(), self._process
        if process is None:
            return self._start_again(environ, now) if now >= self._due else None
        code = process.poll()
        if code is None:
            if self._killed_at is not None and now >= self._killed_at:
                process.kill()
            return None
        self.exit_code, self._process = code, None
        if code == Code.USAGE:
            raise Problem(self._for_good(), Code.USAGE)
        pause = self._backoff.after(now - self._started)
        self._due = now + pause
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        why = self.last_words()
        return f"{self.title} {how}{f' ({why})' if why else ''}; restarting it in {pause:.0f} s. Log: {self.log}"

    def _for_good(self) -> str:
        why = self.last_words()
        if why is None:
            return self.gave_up("ended with exit code 2: a restart does not help")
        return f"The {self.title} can't continue, and a restart does not help: {why.rstrip('.')}. Log: {self.log}"

    def _start_again(self, environ: Mapping[str, str], now: float) -> str | None:
        try:
            self.start(environ)
        except OSError as error:  # for example, no space for its log
            pause = self._backoff.after(0)
            self._due = now + pause
            return f"{self.title} could not be started ({error}); trying again in {pause:.0f} s"
        return None

    def process(self) -> AnnouncedProcess | None:
        """What it announced since its last start; None before that."""
        return next((one for one in announced(self._data_dir) if one.name == self.note and one.pid == self.pid), None)

    def health(self) -> PageAnswer:
        """Whether it is ready, and if not, why."""
        if self.pid is None:
            return PageAnswer(False, "is not running")
        process = self.process()
        answer = ask(process.url, "/readyz") if process else None
        return answer or PageAnswer(False, "is starting")

    def terminate(self) -> None:
        """Send SIGTERM. As long as ``tend`` is called, it starts the process again."""
        process = self._process
        if process is not None:
            process.terminate()

    def end(self) -> None:
        """Send SIGTERM; ``tend`` kills the process if it has not ended ``GRACE`` seconds later."""
        self._killed_at = time.monotonic() + GRACE
        self.terminate()

    def wait(self, until: float) -> bool:
        """Wait for its end until ``until`` (``time.monotonic``), then kill it. Returns whether it ended by itself."""
        process, self._process = self._process, None
        if process is None:
            return True
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        return True

    def gave_up(self, why: str) -> str:
        """A message with its name, ``why``, and the end of its log."""
        said = "\n".join(f"  {line}" for line in self.last_lines())
        return f"The {self.title} {why}. The end of its log ({self.log}):\n{said or '  (nothing)'}"

    def last_words(self) -> str | None:
        """Why it ended, if its log says so."""
        return last_words(self.last_lines(20))

    def last_lines(self, count: int = 5) -> list[str]:
        """The last ``count`` lines that it logged since its last start."""
        try:
            with self.log.open("rb") as log:
                log.seek(self._logged)
                return log.read().decode(errors="replace").splitlines()[-count:]
        except OSError:
            return []
