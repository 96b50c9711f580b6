"""Cases, invoices and opportunities as of an instant (semantics 1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from .entry import EPOCH, Entry, History

OPENED, RESOLVED = "service.case.opened.v1", "service.case.resolved.v1"
ISSUED, OVERDUE, PAID = "finance.invoice.issued.v1", "finance.invoice.overdue.v1", "finance.payment.received.v1"
CREATED, STAGED = "sales.opportunity.created.v1", "sales.opportunity.stage_changed.v1"


class Matter(NamedTuple):
    """A matter that something opened or closed. ``changed``: the latest opening, or what closed it if it is closed."""

    entity: str
    id: str
    open: bool
    changed: Entry
    facts: Mapping[str, Any]


@lru_cache(maxsize=20_000)
def cases(T: History, t: int) -> tuple[Matter, ...]:
    """Open if last opening > last resolution (tie: closed), else closed at the last resolution."""
    opened = {e.data["caseId"]: e for e in T.of(t, OPENED)}
    solved = {e.data["caseId"]: e for e in T.of(t, RESOLVED)}
    found = []
    for case in sorted(opened.keys() | solved.keys()):
        opening, closing = opened.get(case), solved.get(case)
        facts = _said(opening, "category")
        if opening is not None and (closing is None or opening.at > closing.at):
            found.append(Matter("case", case, True, opening, facts))
        elif closing is not None:
            found.append(Matter("case", case, False, closing, facts))
    return tuple(found)


@lru_cache(maxsize=20_000)
def invoices(T: History, t: int) -> tuple[Matter, ...]:
    """Closed once Σ payments (latest per paymentId, same currency) ≥ latest total."""
    claims = {e.data["invoiceId"]: e for e in T.upto(t) if e.type in (ISSUED, OVERDUE)}
    found = []
    for invoice, claim in sorted(claims.items()):
        latest = {e.data["paymentId"]: e for e in T.of(t, PAID) if e.data.get("invoiceId") == invoice}
        payments = [e for e in latest.values() if e.data["currency"] == claim.data["currency"]]
        facts = _said(claim, "total", "currency", "dueDate")
        if sum((Decimal(e.data["total"]) for e in payments), Decimal(0)) >= Decimal(claim.data["total"]):
            last = max([claim, *payments], key=lambda e: (e.at, e.uid))
            found.append(Matter("invoice", invoice, False, last, facts))
        else:
            found.append(Matter("invoice", invoice, True, claim, facts))
    return tuple(found)


@lru_cache(maxsize=20_000)
def opportunities(T: History, t: int) -> tuple[Matter, ...]:
    """Open unless the latest stage is won or lost (tie: closed)."""
    opened: dict[str, Entry] = {}
    closed: dict[str, Entry] = {}
    for e in T.upto(t):
        if e.type in (CREATED, STAGED):
            over = e.data["stage"] in ("won", "lost")
            (closed if over else opened)[e.data["opportunityId"]] = e
    found = []
    for name in sorted(opened.keys() | closed.keys()):
        opening, closing = opened.get(name), closed.get(name)
        facts = _said(opening, "stage", "name")
        if opening is not None and (closing is None or opening.at > closing.at):
            found.append(Matter("opportunity", name, True, opening, facts))
        elif closing is not None:
            found.append(Matter("opportunity", name, False, closing, facts))
    return tuple(found)


def overdue(T: History, t: int) -> list[Matter]:
    """Not closed, an overdue event seen, t ≥ 00:00 UTC of its latest dueDate."""
    warned = {e.data["invoiceId"] for e in T.of(t, OVERDUE)}
    return [m for m in invoices(T, t) if m.open and m.id in warned and t >= midnight(m.facts["dueDate"])]


def midnight(date: str) -> int:
    """00:00 UTC of a plain date (1.4)."""
    return int((datetime.fromisoformat(date).replace(tzinfo=UTC) - EPOCH).total_seconds()) * 1_000_000


def open_matters(T: History, t: int) -> list[Matter]:
    """What is open, oldest first: by the entry that opened it, then by id."""
    every = (*cases(T, t), *invoices(T, t), *opportunities(T, t))
    return sorted((m for m in every if m.open), key=lambda m: (m.changed.at, m.id))


def _said(entry: Entry | None, *names: str) -> dict[str, Any]:
    return {} if entry is None else {name: entry.data[name] for name in names if entry.data.get(name) is not None}
