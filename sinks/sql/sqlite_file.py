"""Opens an SQLite file for reading. Does not import the writing modules: commands must start fast."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from ..base import SinkRefused
from . import model
from .reader import Reader

BUSY_MS = 5000
"""Milliseconds to wait for a lock before a transaction fails (and is tried again)."""
DAMAGED = frozenset({"SQLITE_CORRUPT", "SQLITE_CORRUPT_INDEX", "SQLITE_NOTADB"})
"""SQLite's error codes that a retry does not fix."""
_READER = ("query_only=ON", "schema_version")  # the last reads the file: one that is no database fails


def open_reader(path: Path) -> Reader:
    """A reader of the database at ``path``, also while a sink writes it. Raises SinkRefused when there is none."""
    if not path.is_file():
        raise SinkRefused(f"There is no database at {path}: no sink has written it yet.")
    engine = sqlite_engine(path, begin="BEGIN", settings=_READER, busy_ms=BUSY_MS)
    try:
        with engine.begin() as connection:
            if not model.check(connection):
                raise SinkRefused(f"The database at {path} is empty: its sink has not reached a broker yet.")
    except BaseException:
        engine.dispose()
        raise
    return Reader(engine)


def sqlite_engine(
    path: Path, *, begin: str, settings: Iterable[str], busy_ms: int, guard: Callable[[], None] = lambda: None
) -> Engine:
    """An engine for an existing database. ``guard`` is called before every transaction; its exceptions pass through.

    Raises SinkRefused when the file is no SQLite database, or a damaged one.
    """
    if _is_something_else(path):
        raise SinkRefused(f"{path} is not an SQLite database. Choose another file, or move this one away.")
    engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # sqlite3 itself begins a transaction too late, and none for reads
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
    """Whether the file is no SQLite database. A -wal file beside it is ignored: SQLite would repair parts from it."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:  # without the log
        try:
            connection.execute("PRAGMA schema_version")
        except sqlite3.DatabaseError as error:
            return error.sqlite_errorname == "SQLITE_NOTADB"
    return False
