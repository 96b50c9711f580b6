"""The bus's processes as others see them: the notes that they leave in the data directory, and their ops pages."""

from __future__ import annotations

import http.client
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LOCK = "supervisor.lock"
"""In the data directory; held as long as a supervisor is at work."""
TIMEOUT = 2.0
"""Seconds for one answer of an ops page."""


@dataclass(frozen=True, slots=True)
class Process:
    """What a process said about itself (``runtime.ops.announce``)."""

    name: str
    pid: int
    url: str

    @property
    def alive(self) -> bool:
        """Whether there is a process of this number."""
        return _alive(self.pid)


@dataclass(frozen=True, slots=True)
class Supervised:
    """What a ``Supervisor`` says in its lock: its own process, and the names under which its children announce."""

    pid: int
    children: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page said: ``ok`` for 200, and its text."""

    ok: bool
    text: str


def announced(data_dir: Path) -> list[Process]:
    """All processes that left a note, by name; also dead ones, if they were killed."""
    found = []
    for path in sorted((data_dir / "run").glob("*.json")):
        process = _read(path)
        if process is not None:
            found.append(process)
    return found


def supervised(data_dir: Path) -> Supervised | None:
    """The supervisor that is at work here; None if there is none."""
    try:
        said = json.loads((data_dir / LOCK).read_text())
        found = Supervised(int(said["pid"]), tuple(map(str, said["children"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if _alive(found.pid) else None


def forget_dead(data_dir: Path) -> None:
    """Remove the notes of processes that were killed."""
    for path in (data_dir / "run").glob("*.json"):
        process = _read(path)
        if process is not None and not process.alive:
            path.unlink(missing_ok=True)


def ask(url: str, page: str, seconds: float = TIMEOUT) -> Answer | None:
    """What ``page`` of a process's ops pages says; None if nobody answers within so many seconds."""

    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=seconds)
    try:
        connection.request("GET", page)
        response = connection.getresponse()
        return Answer(response.status == http.client.OK, response.read().decode(errors="replace").strip())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _read(path: Path) -> Process | None:
    """The note in ``path``; None while it is being written."""
    try:
        said = json.loads(path.read_text())
        return Process(str(said["name"]), int(said["pid"]), str(said["url"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
