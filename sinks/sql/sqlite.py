"""SQLite: one file, one writing process, readers beside it.

WAL, so that readers never wait for the writer nor it for them. ``synchronous=NORMAL`` may lose the last transactions
when the machine (not the process) dies, whole and with their offsets, so that they are read again.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import IO

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError, OperationalError

from ..base import SinkLost, SinkRefused, Topics
from ..progress import MAX_PAUSE_MS
from . import model
from .reader import Reader
from .sink import DAMAGED, SqlSink
from .writer import Writer

_BUSY_MS = 5000
"""How long to wait for a lock before a transaction fails (and is tried again)."""
_WRITER = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "cache_size=-65536",  # KiB: the indexes are touched at random
    "wal_autocheckpoint=16384",  # pages
    f"journal_size_limit={64 * 1024 * 1024}",  # what the write-ahead log shrinks to after a long batch
)
_READER = ("query_only=ON", "schema_version")  # the last reads the file, which finds out what it is


def open_sink(path: Path, topics: Topics, *, max_pause_ms: int = MAX_PAUSE_MS, busy_ms: int = _BUSY_MS) -> SqlSink:
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

        engine = _engine(path, begin="BEGIN IMMEDIATE", settings=_WRITER, busy_ms=busy_ms, guard=guard)
    except BaseException:
        lock.close()
        raise
    return SqlSink(engine, Writer(sqlite.insert), topics, max_pause_ms=max_pause_ms, release=lock.close)


def open_reader(path: Path) -> Reader:
    """Reads the database at ``path``, also while a sink writes it. Raises SinkRefused when there is none to read."""
    if not path.is_file():
        raise SinkRefused(f"There is no database at {path}: no sink has written it yet.")
    engine = _engine(path, begin="BEGIN", settings=_READER, busy_ms=_BUSY_MS)
    try:
        with engine.begin() as connection:
            if not model.check(connection):
                raise SinkRefused(f"The database at {path} is empty: its sink has not reached a broker yet.")
    except BaseException:
        engine.dispose()
        raise
    return Reader(engine)


def _engine(
    path: Path, *, begin: str, settings: Iterable[str], busy_ms: int, guard: Callable[[], None] = lambda: None
) -> Engine:
    """``guard`` is called before every transaction; what it raises comes out of it."""
    if _is_something_else(path):
        raise SinkRefused(f"{path} is not an SQLite database. Choose another file, or move this one away.")
    engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # sqlite3 would begin too late, and never for reading
        try:
            for setting in (f"busy_timeout={busy_ms}", *settings):
                connection.execute(f"PRAGMA {setting}")
        except sqlite3.Error:
            connection.close()  # nobody else does
            raise

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        guard()
        connection.exec_driver_sql(begin)

    try:
        with engine.connect():
            pass
    except DatabaseError as error:
        engine.dispose()
        if getattr(error.orig, "sqlite_errorname", None) in DAMAGED:
            raise SinkRefused(
                f"{path} is a damaged SQLite database. Move it away with the files beside it: "
                "a new one is filled from the topics."
            ) from None
        if not isinstance(error, OperationalError):
            raise
    return engine


def _is_something_else(path: Path) -> bool:
    """Whether it can't be a database, whatever a log beside it says, by which SQLite would mend it in parts."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:  # without the log
        try:
            connection.execute("PRAGMA schema_version")
        except sqlite3.DatabaseError as error:
            return error.sqlite_errorname == "SQLITE_NOTADB"
    return False


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
