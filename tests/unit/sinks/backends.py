"""The databases that the contract is checked on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, NullPool, create_engine, select

from sinks.base import Sink
from sinks.sql import model
from sinks.sql.sqlite import open_sink

from .messages import TOPICS
from .plain import Table


class Backend(Protocol):
    """One database, which exists from the first ``open`` on."""

    def open(self) -> Sink:
        """The only sink that writes it, until it is closed."""

    def tables(self) -> dict[str, Table]:
        """What is in it, as ``plain.fold`` has it."""

    def refusing(self, table: str) -> AbstractContextManager[None]:
        """Meanwhile every write to this table fails."""

    def locked(self) -> AbstractContextManager[None]:
        """Meanwhile nobody else can write."""


class SqliteBackend:
    """A file."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "cxbus.db"
        self._engine = create_engine(f"sqlite:///{self._path}", poolclass=NullPool)

    def open(self) -> Sink:
        """Waits for locks only as long as a test can."""
        return open_sink(self._path, TOPICS, busy_ms=1)

    def tables(self) -> dict[str, Table]:
        """Read by a connection of its own."""
        with self._engine.connect() as connection:
            return read(connection)

    @contextmanager
    def refusing(self, table: str) -> Iterator[None]:
        """By triggers."""
        with self._engine.connect() as connection:
            for verb in ("INSERT", "UPDATE", "DELETE"):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER no_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'refused'); END"
                )
            try:
                yield
            finally:
                for verb in ("INSERT", "UPDATE", "DELETE"):
                    connection.exec_driver_sql(f"DROP TRIGGER no_{verb}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """As a long transaction of somebody else does."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                connection.exec_driver_sql("ROLLBACK")


BACKENDS: dict[str, Callable[[Path], Backend]] = {"sqlite": SqliteBackend}


def read(connection: Connection) -> dict[str, Table]:
    """All tables of people's data, without the columns that say where a row comes from."""
    told: dict[tuple[str, str], set[str]] = {}
    for alert_id, customer_id, department, _ in connection.execute(select(model.alert_departments)):
        told.setdefault((alert_id, customer_id), set()).add(department)
    tables: dict[str, Table] = {
        "timeline": _rows(connection, model.timeline, "data", "identifiers"),
        "profiles": _rows(connection, model.profiles, "document"),
        "identities": _rows(connection, model.identities, "document"),
        "alerts": _rows(connection, model.alerts, "evidence", "customer"),
    }
    for (alert_id, customer_id), row in tables["alerts"].items():
        row["departments"] = told.pop((alert_id, customer_id), set())
    assert not told, "a department without its alert"
    return tables


_PLACE = {"log_partition", "log_offset"}
_LEFT_OUT = {
    "timeline": _PLACE,
    "profiles": _PLACE | {"name_folded"},
    "identities": {"log_offset"},
    "alerts": _PLACE
    | {"name_folded", "topic", "journal_offset", "recorded", "source"}
    | {"rule_version", "instance_key", "expires_at", "ended_at"},
}
"""Columns that ``plain.fold`` leaves out; the reader's tests look at those that people ask for."""


def _rows(connection: Connection, table: Any, *parsed: str) -> Table:
    rows: Table = {}
    keys = [column.name for column in table.primary_key]
    leave_out = {*keys, *_LEFT_OUT[table.name]}
    for row in connection.execute(select(table)).mappings():
        values = {name: value for name, value in row.items() if name not in leave_out}
        rows[tuple(row[key] for key in keys)] = values | {name: json.loads(row[name]) for name in parsed}
    return rows
