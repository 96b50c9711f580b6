"""A disk so small that it is soon full, in a mount namespace of its own: nobody else on the machine sees it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from .sink_checker import Copy
from .sink_log import Contents, Place

PLACE = Path("/mnt")
"""Where the disk is, inside."""


class NoNamespaces(Exception):
    """This machine does not let us have a disk of our own."""


class SmallDisk:
    """``directory`` is its root, seen from outside; ``inside`` makes a command run where it is mounted."""

    def __init__(self, mebibytes: int) -> None:
        self._mebibytes = mebibytes
        self._holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        unshare = shutil.which("unshare")
        if unshare is None or shutil.which("nsenter") is None:
            raise NoNamespaces("there is no unshare or no nsenter")
        mount = f"mount -t tmpfs -o size={self._mebibytes}m small {PLACE} && echo ready && exec cat"
        self._holder = subprocess.Popen(
            [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", mount],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            said = self._holder.communicate()[1].decode().strip()
            raise NoNamespaces(said or f"unshare ended with {self._holder.returncode}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._holder is not None
        self._holder.kill()
        self._holder.communicate()

    @property
    def directory(self) -> Path:
        """Its root, for the rest of the machine."""
        assert self._holder is not None
        return Path(f"/proc/{self._holder.pid}/root{PLACE}")

    def inside(self, command: list[str]) -> list[str]:
        """Runs as the same user, in the same directory of the machine, where the disk is mounted at ``PLACE``."""
        assert self._holder is not None
        enter = ["nsenter", "--target", str(self._holder.pid), "--user", "--mount", "--preserve-credentials"]
        return [*enter, f"--wdns={Path.cwd()}", *command]

    def left(self) -> int:
        """Free bytes."""
        state = os.statvfs(self.directory)
        return state.f_bavail * state.f_frsize

    def take(self, leave: int) -> None:
        """Takes all space but so many bytes."""
        with (self.directory / "filler").open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, max(4096, self.left() - leave))

    def give_back(self) -> None:
        """Gives it back."""
        (self.directory / "filler").unlink()


class CopyOnDisk(Copy):
    """A database on a small disk. SQLite does not open it through ``directory``, so it is read in there."""

    def __init__(self, disk: SmallDisk, inside: Path, home: Path) -> None:
        super().__init__(home / "fetched.db")
        self._disk = disk
        self._inside = inside

    def offsets(self) -> dict[Place, int]:
        """See ``Copy.offsets``."""
        return {(topic, partition): offset for topic, partition, offset in json.loads(self._run(OFFSETS) or b"[]")}

    def differences(self, topics: Contents, *, remembers: bool = False) -> list[str]:
        """See ``Copy.differences``."""
        self.path.unlink(missing_ok=True)
        self._run(FETCH, str(self.path))
        return super().differences(topics, remembers=remembers)

    def _run(self, program: str, *arguments: str) -> bytes:
        """What a program prints; nothing when it fails, as it does while there is no database."""
        command = [sys.executable, "-I", "-S", "-c", program, f"file:{self._inside}?mode=ro", *arguments]
        done = subprocess.run(self._disk.inside(command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return b"" if done.returncode else done.stdout


OFFSETS = """
import json, sqlite3, sys
found = sqlite3.connect(sys.argv[1], uri=True).execute("SELECT topic, partition, next_offset FROM sink_offsets")
print(json.dumps(list(found)))
"""
FETCH = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], uri=True).backup(sqlite3.connect(sys.argv[2]))
"""
