"""SQLite: one file, one writing process, any number of readers (``sqlite_file``).

WAL mode, so that readers and the writer never wait for each other. When the machine (not only the process) crashes,
``synchronous=NORMAL`` may lose the last transactions; their offsets are lost with them, so they are read again.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from sqlalchemy.dialects import sqlite

from engine.kafka.copies import MAX_PAUSE_MS

from ..base import SinkLost, SinkRefused, Topics
from .sink import SqlSink
from .sqlite_file import BUSY_MS, sqlite_engine
from .writer import Writer

_WRITER = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "cache_size=-65536",  # KiB: the indexes are touched at random
    "wal_autocheckpoint=16384",  # pages
    f"journal_size_limit={64 * 1024 * 1024}",  # bytes to which the write-ahead log shrinks after a large batch
)


def open_sink(path: Path, topics: Topics, *, max_pause_ms: int = MAX_PAUSE_MS, busy_ms: int = BUSY_MS) -> SqlSink:
    """The sink of the database at ``path``. A missing file is created, readable by its owner only.

    Raises SinkRefused when another process writes it or when it is no SQLite database. The sink raises SinkLost when
    the file or its lock file was removed or replaced: SQLite itself would go on writing to a deleted file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _locked(path)
    try:
        if not path.exists():  # to open and close an existing file would drop POSIX locks of readers in this process
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        path.chmod(0o600)  # SQLite gives the same mode to its -wal and -shm files
        opened, locked = path.stat(), os.fstat(lock.fileno())

        def guard() -> None:
            if not (_is_still(path, opened) and _is_still(_lock_of(path), locked)):
                raise SinkLost(f"{path} was removed or replaced while this sink wrote it.")

        engine = sqlite_engine(path, begin="BEGIN IMMEDIATE", settings=_WRITER, busy_ms=busy_ms, guard=guard)
    except BaseException:
        lock.close()
        raise
    return SqlSink(engine, Writer(sqlite.insert), topics, max_pause_ms=max_pause_ms, release=lock.close)


def _is_still(path: Path, opened: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), opened)
    except OSError:
        return False


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _locked(path: Path) -> IO[str]:
    """The open lock file beside the database; whoever holds the lock may write. It is freed when the process ends."""
    lock = os.fdopen(os.open(_lock_of(path), os.O_RDWR | os.O_CREAT, 0o600), "r+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with lock:
            holder = lock.read(20).strip() or "unknown"
        raise SinkRefused(
            f"Another sink (process {holder}) writes {path}. Stop it, or choose another database."
        ) from None
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock
