"""The bus's processes as seen from outside: the notes that they write to the data directory, and their ops pages."""

from __future__ import annotations

import http.client
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LOCK = "supervisor.lock"
"""Lock file in the data directory; a running supervisor holds the lock."""
TIMEOUT = 2.0
"""Seconds to wait for a response of an ops page."""


@dataclass(frozen=True, slots=True)
class AnnouncedProcess:
    """A process as it announced itself (``runtime.ops.announce``)."""

    name: str
    pid: int
    url: str

    @property
    def alive(self) -> bool:
        """Whether a process with this id exists."""
        return _alive(self.pid)


@dataclass(frozen=True, slots=True)
class Supervised:
    """The content of a ``Supervisor``'s lock: its process id, and the names under which its children announce."""

    pid: int
    children: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """The response of an ops page: ``ok`` for status 200, and its text."""

    ok: bool
    text: str


def announced(data_dir: Path) -> list[AnnouncedProcess]:
    """All processes that left a note, sorted by name; killed processes, which could not remove it, included."""
    found = []
    for path in sorted((data_dir / "run").glob("*.json")):
        process = _read(path)
        if process is not None:
            found.append(process)
    return found


def supervised(data_dir: Path) -> Supervised | None:
    """The supervisor that runs in this data directory; None if there is none."""
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


def ask(url: str, page: str, seconds: float = TIMEOUT) -> PageAnswer | None:
    """The response of ``page`` of a process's ops pages; None if there is none within ``seconds``."""

    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=seconds)
    try:
        connection.request("GET", page)
        response = connection.getresponse()
        return PageAnswer(response.status == http.client.OK, response.read().decode(errors="replace").strip())
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
        return True  # owned by another user
    return True


def _read(path: Path) -> AnnouncedProcess | None:
    """The note in ``path``; None while it is being written."""
    try:
        said = json.loads(path.read_text())
        return AnnouncedProcess(str(said["name"]), int(said["pid"]), str(said["url"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
