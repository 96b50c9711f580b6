"""Cases, invoices and opportunities as of an instant (semantics 1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from .entry import EPOCH, D, Entry, History, rfc3339

OPENED, RESOLVED = "service.case.opened.v1", "service.case.resolved.v1"
ISSUED, OVERDUE = "finance.invoice.issued.v1", "finance.invoice.overdue.v1"
VOIDED, WRITTEN_OFF = "finance.invoice.voided.v1", "finance.invoice.written_off.v1"
PAID, DISPUTED = "finance.payment.received.v1", "finance.payment.disputed.v1"
CREDITED = "finance.credit.issued.v1"
ABOUT_INVOICES = (ISSUED, OVERDUE, VOIDED, WRITTEN_OFF, PAID, DISPUTED, CREDITED)
CREATED, STAGED = "sales.opportunity.created.v1", "sales.opportunity.stage_changed.v1"


class Matter(NamedTuple):
    """A matter that something opened or closed. ``changed``: the latest opening, or what closed it if it is closed.

    ``facts``: all that its latest opening said.
    """

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
        facts = _said(opening)
        if opening is not None and (closing is None or opening.at > closing.at):
            found.append(Matter("case", case, True, opening, facts))
        elif closing is not None:
            found.append(Matter("case", case, False, closing, facts))
    return tuple(found)


@lru_cache(maxsize=20_000)
def invoices(T: History, t: int) -> tuple[Matter, ...]:
    """Claimed by the latest issued or overdue event; closed while what counts reaches the claim's total, and from a
    void or write-off on, until it is issued again later (tie: closed).
    """
    about: dict[str, list[Entry]] = {}
    for e in T.upto(t):
        if e.type in ABOUT_INVOICES and e.data.get("invoiceId") is not None:
            about.setdefault(e.data["invoiceId"], []).append(e)
    found = []
    for invoice, events in sorted(about.items()):
        claim = _claim(events)
        facts = _said(claim)
        if _is_closed(events):
            found.append(Matter("invoice", invoice, False, _closing(events), facts))
        elif claim is not None:
            found.append(Matter("invoice", invoice, True, claim, facts))
    return tuple(found)


def _claim(events: list[Entry]) -> Entry | None:
    claims = [e for e in events if e.type in (ISSUED, OVERDUE)]
    return claims[-1] if claims else None


def _is_closed(events: list[Entry]) -> bool:
    """By these events about one invoice."""
    gone = [e.at for e in events if e.type in (VOIDED, WRITTEN_OFF)]
    if gone and all(e.at <= gone[-1] for e in events if e.type == ISSUED):
        return True
    claim = _claim(events)
    if claim is None:
        return False
    payments = {e.data["paymentId"]: e for e in events if e.type == PAID}
    credits = {e.data["creditId"]: e for e in events if e.type == CREDITED}
    counts = [*credits.values()]
    for name, payment in payments.items():
        if not any(e.type == DISPUTED and e.data["paymentId"] == name and e.at >= payment.at for e in events):
            counts.append(payment)
    total = sum((Decimal(e.data["total"]) for e in counts if e.data["currency"] == claim.data["currency"]), Decimal(0))
    return total >= Decimal(claim.data["total"])


def _closing(events: list[Entry]) -> Entry:
    """The latest event at the first instant from which on the invoice has been closed."""
    instants = sorted({e.at for e in events})
    open_at = [t for t in instants if not _is_closed([e for e in events if e.at <= t])]
    first = min(t for t in instants if not open_at or t > open_at[-1])
    return [e for e in events if e.at == first][-1]


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
        facts = _said(opening)
        if opening is not None and (closing is None or opening.at > closing.at):
            found.append(Matter("opportunity", name, True, opening, facts))
        elif closing is not None:
            found.append(Matter("opportunity", name, False, closing, facts))
    return tuple(found)


@lru_cache(maxsize=20_000)
def overdue(T: History, t: int, days: int = 0) -> tuple[Matter, ...]:
    """Open, an overdue event seen, t ≥ 00:00 UTC of its due date + so many days.

    ``changed`` is the latest overdue event.
    """
    found = []
    for invoice in invoices(T, t):
        claims = _claims(T, t, invoice.id)
        warnings = [e for e in claims if e.type == OVERDUE]
        if invoice.open and warnings and t >= _due(claims) + days * D:
            found.append(invoice._replace(changed=warnings[-1]))
    return tuple(found)


def _claims(T: History, t: int, invoice: str) -> list[Entry]:
    return [e for e in T.upto(t) if e.type in (ISSUED, OVERDUE) and e.data["invoiceId"] == invoice]


def _due(claims: list[Entry]) -> int:
    """The latest date that a claim named, else that of the first overdue event."""
    dates = [e.data["dueDate"] for e in claims if e.data.get("dueDate") is not None]
    return midnight(dates[-1]) if dates else midnight(rfc3339(next(e.at for e in claims if e.type == OVERDUE))[:10])


def due_dates(T: History) -> set[int]:
    """Every instant at which an invoice can become due."""
    claims = [e for e in T.entries if e.type in (ISSUED, OVERDUE)]
    return {midnight(e.data.get("dueDate") or rfc3339(e.at)[:10]) for e in claims}


def midnight(date: str) -> int:
    """00:00 UTC of a plain date (1.4)."""
    return int((datetime.fromisoformat(date).replace(tzinfo=UTC) - EPOCH).total_seconds()) * 1_000_000


def open_matters(T: History, t: int) -> list[Matter]:
    """What is open, oldest first: by the entry that opened it, then by id."""
    every = (*cases(T, t), *invoices(T, t), *opportunities(T, t))
    return sorted((m for m in every if m.open), key=lambda m: (m.changed.at, m.id))


def _said(opening: Entry | None) -> Mapping[str, Any]:
    return {} if opening is None else opening.data
