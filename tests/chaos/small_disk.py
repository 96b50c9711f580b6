"""A disk of its own for a directory, small enough to be filled. Needs ``namespace.in_namespace``."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

_PAGE = bytes(4096)


class SmallDisk:
    """A tmpfs of so many MiB over ``directory``, which is made. A context manager; whoever uses it must end first."""

    def __init__(self, directory: Path, mebibytes: int) -> None:
        self._directory = directory
        self._size = mebibytes
        self._ballast = directory / "ballast"

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        options = f"size={self._size}m,mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(self._directory)], check=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["umount", str(self._directory)], check=True)

    @property
    def free(self) -> int:
        """Bytes."""
        found = os.statvfs(self._directory)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Nothing is left."""
        with self._ballast.open("ab", buffering=0) as ballast:
            while self.free > 0:
                try:
                    ballast.write(_PAGE)
                except OSError as error:
                    if error.errno == errno.ENOSPC:
                        return
                    raise

    def forget(self) -> None:
        """Whatever else was there is lost."""
        for found in self._directory.iterdir():
            if found.is_dir():
                shutil.rmtree(found)
            elif found != self._ballast:
                found.unlink()

    def empty(self) -> None:
        """There is room again."""
        self._ballast.unlink()
