"""The latest state of each alert, from messages on several topics between which there is no order.

The latest message is the one with the greatest (journal offset, append time, topic, offset), so the result does not
depend on the order in which topics are read. A tombstone of a customer's profile (or on an alert topic) deletes their
alerts up to then; messages that are read later do not bring them back. Alert topics are never compacted, so nothing
else would delete these alerts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select

from . import model
from .rows import Row
from .writer import Writer

_ORDER = ("journal_offset", "recorded", "topic", "log_offset")
_AT_ONCE = 1000
"""Ids in one query; SQLite takes 32,766 parameters at most."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One message about an alert, as sent to ``department``."""

    department: str
    row: Row


def write(connection: Connection, writer: Writer, told: Sequence[AlertRow], forget: Mapping[str, int]) -> None:
    """Upsert alerts. ``forget``: customer id → instant (µs) up to which that customer's alerts are deleted."""
    _forget(connection, writer, forget)
    until = _forgotten(connection, {message.row["customer_id"] for message in told})
    latest: dict[tuple[str, str], Row] = {}
    departments: dict[tuple[str, str, str], Row] = {}
    for message in told:
        row = message.row
        alert_id, customer_id, recorded = row["alert_id"], row["customer_id"], row["recorded"]
        if recorded <= until.get(customer_id, -1):
            continue
        known = latest.get((alert_id, customer_id))
        if known is None or _order(known) < _order(row):
            latest[alert_id, customer_id] = row
        before = departments.get((alert_id, customer_id, message.department))
        if before is None or before["recorded"] < recorded:
            departments[alert_id, customer_id, message.department] = {
                "alert_id": alert_id,
                "customer_id": customer_id,
                "department": message.department,
                "recorded": recorded,
            }
    writer.put(connection, model.alerts, list(latest.values()), newest=_ORDER)
    writer.put(connection, model.alert_departments, list(departments.values()), newest=("recorded",))


def _order(row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in _ORDER)


def _forget(connection: Connection, writer: Writer, forget: Mapping[str, int]) -> None:
    if not forget:
        return
    marks: list[Row] = [{"customer_id": customer_id, "until": until} for customer_id, until in forget.items()]
    writer.put(connection, model.forgotten, marks, newest=("until",))
    for table in (model.alerts, model.alert_departments):
        statement = delete(table).where(table.c.customer_id == bindparam("who"), table.c.recorded <= bindparam("until"))
        connection.execute(statement, [{"who": mark["customer_id"], "until": mark["until"]} for mark in marks])


def _forgotten(connection: Connection, customers: Iterable[str]) -> dict[str, int]:
    asked = list(customers)
    found: dict[str, int] = {}
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        marks = connection.execute(select(model.forgotten).where(model.forgotten.c.customer_id.in_(some)))
        found.update((mark.customer_id, mark.until) for mark in marks)
    return found
