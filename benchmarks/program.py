"""A peer's program in a process of its own: what it says, whether it still runs, and its end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import orjson

from deploy import watchdog

from .contestant import Failed, Outlets
from .usage import child_of

FIRST_LINE = 60.0
"""Seconds for a program to say its first line."""

STOP = 10.0
"""Seconds for it to end once it is told to."""

SHOWN = 2_000
"""Characters of a log that an error shows."""


class Program:
    """Runs while the ``with`` block does, and no longer than this process, however that ends.

    Each line on its standard output is JSON; ``said`` holds them with the moment (Unix seconds) at which they came.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], home: Path) -> None:
        self._name = name
        self._command = [sys.executable, "-I", "-S", watchdog.__file__, str(os.getpid()), *command]
        self._environment = {**os.environ, **environment}
        self._home = home
        self._spoken = threading.Condition()
        self.said: list[tuple[float, Mapping[str, object]]] = []

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._home,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        self._ear = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._ear.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.terminate()
        began = time.monotonic()
        self._process.wait(watchdog.GRACE + STOP)
        self._ear.join()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        if (seconds := time.monotonic() - began) > STOP:
            raise Failed(f"{self._name} took {seconds:.0f} s to end; {STOP:.0f} s are allowed")

    @property
    def pid(self) -> int:
        """Its own, not that of the watchdog above it. Raises ``ProcessLookupError``."""
        return child_of(self._process.pid)

    def first(self) -> tuple[float, Mapping[str, object]]:
        """The first line, once it comes. Raises ``Failed``."""
        until = time.monotonic() + FIRST_LINE
        with self._spoken:
            while not self.said:
                self.check()
                if time.monotonic() > until:
                    raise Failed(f"{self._name} said nothing for {FIRST_LINE:.0f} s, its log ends:\n{self._words()}")
                self._spoken.wait(0.1)
            return self.said[0]

    def outlets(self) -> Outlets:
        """The topics that the first line names. Raises ``Failed``."""
        _, line = self.first()
        try:
            hop, timeline, profiles, alerts = (str(line[name]) for name in ("hop", "timeline", "profiles", "alerts"))
        except KeyError as missing:
            raise Failed(f"{self._name} does not say where its {missing} are, but {dict(line)}") from None
        return Outlets(hop, timeline, profiles, (alerts,))

    def check(self) -> None:
        """Raises ``Failed`` when it has ended."""
        if (code := self._process.poll()) is not None:
            raise Failed(f"{self._name} ended with {code}, its log ends:\n{self._words()}")

    @property
    def ended(self) -> bool:
        """Whether it has, in good order. Raises ``Failed`` when it was not."""
        if self._process.poll() == 0:
            self._ear.join()
            return True
        self.check()
        return False

    @property
    def _log(self) -> Path:
        return self._home / "log"

    def _words(self) -> str:
        return self._log.read_text(errors="replace")[-SHOWN:]

    def _listen(self, stdout: IO[bytes]) -> None:
        with self._log.open("ab") as log:
            for line in stdout:
                at = time.time()
                log.write(line)
                log.flush()
                try:
                    told = orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue  # a library that prints: it is in the log
                if isinstance(told, dict):
                    with self._spoken:
                        self.said.append((at, told))
                        self._spoken.notify_all()
