"""Queries for people: who is this customer, what happened, which department received which alert.

Every query about a customer follows ``mergedInto`` first, so an old id still finds its customer. Instants are integer
UTC microseconds. Lists are sorted newest first; ``before`` is the cursor of the last item of the previous page.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Engine, Row, Table, func, select, tuple_

from . import model
from .answers import Alert, Counts, Customer, Entry
from .names import folded


class Reader:
    """Reads what a sink wrote, each query in one snapshot. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def close(self) -> None:
        """Close the database."""
        self.engine.dispose()

    def customer(self, customer_id: str) -> Customer | None:
        """The customer to whom this id belongs now, after merges; None if there is none."""
        with self.engine.begin() as connection:
            return _customer(connection, _living(connection, customer_id))

    def customer_of(self, identifier: str) -> Customer | None:
        """The customer of an identifier, which is given as its key in the identities topic: ``i/<keyed hash>``."""
        question = select(model.identities.c.customer_id).where(model.identities.c.key == identifier)
        with self.engine.begin() as connection:
            customer_id = connection.scalar(question)
            return None if customer_id is None else _customer(connection, _living(connection, customer_id))

    def search(self, part: str, *, limit: int = 20) -> list[Customer]:
        """Customers with ``part`` in the name of their profile or in the name in one of their alerts."""
        wanted = folded(part)
        found: dict[str, Customer] = {}
        with self.engine.begin() as connection:
            for table in (model.profiles, model.alerts):
                question = (
                    select(table.c.customer_id)
                    .where(table.c.name_folded.contains(wanted, autoescape=True))
                    .group_by(table.c.customer_id)
                    .order_by(func.min(table.c.name_folded), table.c.customer_id)
                    .limit(limit)
                )
                for customer_id in connection.scalars(question).all():
                    customer = _customer(connection, _living(connection, customer_id))
                    if customer is not None:
                        found.setdefault(customer.customer_id, customer)
        return list(found.values())[:limit]

    def timeline(self, customer_id: str, *, limit: int = 50, before: tuple[int, str] | None = None) -> list[Entry]:
        """What happened to a customer, latest first."""
        table = model.timeline
        with self.engine.begin() as connection:
            question = select(*_ENTRY).where(table.c.customer_id == _living(connection, customer_id))
            if before is not None:
                question = question.where(tuple_(table.c.at, table.c.uid) < before)
            found = connection.execute(question.order_by(table.c.at.desc(), table.c.uid.desc()).limit(limit))
            return [Entry(**_parsed(row, "data", "identifiers")) for row in found]

    def alerts(
        self,
        *,
        customer_id: str | None = None,
        department: str | None = None,
        states: Collection[str] | None = None,
        alert_id: str | None = None,
        limit: int = 50,
        before: tuple[int, str, str] | None = None,
    ) -> list[Alert]:
        """Alerts in their latest state, sorted by the time at which they fired, newest first. Filters are combined with
        AND.
        """
        table, told = model.alerts, model.alert_departments
        place = (table.c.time, table.c.alert_id, table.c.customer_id)
        with self.engine.begin() as connection:
            question = select(*_ALERT)
            if customer_id is not None:
                question = question.where(table.c.customer_id == _living(connection, customer_id))
            if department is not None:
                theirs = select(told.c.alert_id, told.c.customer_id).where(told.c.department == department)
                question = question.where(tuple_(table.c.alert_id, table.c.customer_id).in_(theirs))
            if states is not None:
                question = question.where(table.c.state.in_(list(states)))
            if alert_id is not None:
                question = question.where(table.c.alert_id == alert_id)
            if before is not None:
                question = question.where(tuple_(*place) < before)
            found = connection.execute(question.order_by(*(column.desc() for column in place)).limit(limit)).all()
            departments = _departments(connection, [row.alert_id for row in found])
        return [
            Alert(**_parsed(row, "evidence", "customer"), departments=departments[row.alert_id, row.customer_id])
            for row in found
        ]

    def counts(self) -> Counts:
        """The number of rows of each kind."""
        merged = model.profiles.c.merged_into
        identifiers = model.identities.c.key.startswith("i/", autoescape=True)
        with self.engine.begin() as connection:

            def count(table: Table, *conditions: ColumnElement[bool]) -> int:
                return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0

            states = connection.execute(
                select(model.alerts.c.state, func.count().label("number"))
                .group_by(model.alerts.c.state)
                .order_by(model.alerts.c.state)
            )
            return Counts(
                customers=count(model.profiles, merged.is_(None)),
                merged=count(model.profiles, merged.is_not(None)),
                entries=count(model.timeline),
                identifiers=count(model.identities, identifiers),
                alerts={row.state: row.number for row in states},
            )


def _columns(table: Table, shape: type[Entry | Alert]) -> list[Column[Any]]:
    return [table.c[field.name] for field in fields(shape) if field.name in table.c]


_ENTRY = _columns(model.timeline, Entry)
_ALERT = _columns(model.alerts, Alert)


def _parsed(row: Row[Any], *json: str) -> dict[str, Any]:
    values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy documents it, and has no other name for it
    return values | {name: orjson.loads(values[name]) for name in json}


def _living(connection: Connection, customer_id: str) -> str:
    """The id at the end of the chain of merges. In a cycle (corrupt data) it is the last id before one repeats."""
    seen = {customer_id}
    while (into := _merged_into(connection, customer_id)) is not None and into not in seen:
        seen.add(into)
        customer_id = into
    return customer_id


def _merged_into(connection: Connection, customer_id: str) -> str | None:
    profiles, identities = model.profiles, model.identities
    into = connection.scalar(select(profiles.c.merged_into).where(profiles.c.customer_id == customer_id))
    if into is None:  # the identities topic may be read before the profiles topic
        into = connection.scalar(select(identities.c.merged_into).where(identities.c.key == f"c/{customer_id}"))
    return into


def _customer(connection: Connection, customer_id: str) -> Customer | None:
    table = model.profiles
    row = connection.execute(select(table).where(table.c.customer_id == customer_id)).one_or_none()
    if row is None:
        return None
    return Customer(row.customer_id, row.name, row.tier, row.updated, orjson.loads(row.document))


def _departments(connection: Connection, alerts: Collection[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    table = model.alert_departments
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    question = select(table).where(table.c.alert_id.in_(alerts)).order_by(table.c.department)
    for row in connection.execute(question):
        pair = (row.alert_id, row.customer_id)
        found[pair] = (*found.get(pair, ()), row.department)
    return found
