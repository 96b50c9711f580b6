"""Upserts and deletes by primary key, in the form that SQLite and PostgreSQL share: ``ON CONFLICT DO UPDATE``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, tuple_
from sqlalchemy.dialects import postgresql, sqlite

Insert = sqlite.Insert | postgresql.Insert


class Writer:
    """``insert`` is the ``insert`` function of SQLAlchemy's dialect for the database."""

    def __init__(self, insert: Callable[[Table], Insert]) -> None:
        @cache
        def upsert(table: Table, newest: tuple[str, ...]) -> Insert:
            return _upsert(insert(table), table, newest)

        self._upsert = upsert

    def put(
        self, connection: Connection, table: Table, rows: Sequence[dict[str, Any]], newest: tuple[str, ...] = ()
    ) -> None:
        """Upsert whole rows, each key at most once. With ``newest``, a stored row is replaced only if the new row is
        greater in these columns, compared as a tuple.
        """
        if rows:
            connection.execute(self._upsert(table, newest), rows)

    def remove(self, connection: Connection, table: Table, keys: Sequence[tuple[str, ...]]) -> None:
        """Delete the rows of these primary keys; a missing row is no error."""
        if keys:
            names = [column.name for column in table.primary_key]
            statement = delete(table).where(*(table.c[name] == bindparam(f"old_{name}") for name in names))
            connection.execute(
                statement, [{f"old_{n}": part for n, part in zip(names, key, strict=True)} for key in keys]
            )


def _upsert(insert: Insert, table: Table, newest: tuple[str, ...]) -> Insert:
    keys = [column.name for column in table.primary_key]
    stays = tuple_(*(table.c[name] for name in newest))
    comes = tuple_(*(insert.excluded[name] for name in newest))
    return insert.on_conflict_do_update(
        index_elements=keys,
        set_={column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys},
        where=comes > stays if newest else None,
    )
