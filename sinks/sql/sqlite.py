"""SQLite: one file, one writing process, readers beside it (``sqlite_file``).

WAL, so that readers never wait for the writer nor it for them. ``synchronous=NORMAL`` may lose the last transactions
when the machine (not the process) dies, whole and with their offsets, so that they are read again.
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
    f"journal_size_limit={64 * 1024 * 1024}",  # what the write-ahead log shrinks to after a long batch
)


def open_sink(path: Path, topics: Topics, *, max_pause_ms: int = MAX_PAUSE_MS, busy_ms: int = BUSY_MS) -> SqlSink:
    """The sink of the database at ``path``, which is created, readable by its owner only, when it is not there.

    Raises SinkRefused when another process writes it or when it is no SQLite database. The sink raises SinkLost once
    the file, or the lock beside it, is not the one that was opened: SQLite itself would write a deleted file for ever.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _locked(path)
    try:
        if not path.exists():  # opening and closing it by hand would drop the locks of readers in this process
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        path.chmod(0o600)  # the files that SQLite puts beside it take this over
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
    """The open lock file beside the database; whoever holds it may write. The lock goes when the process does."""
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
