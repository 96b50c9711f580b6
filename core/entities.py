"""Matters that open and close: cases, invoices, opportunities. Their state as of an instant (semantics 1.5).

Every function takes one matter's entries in ``(at, uid)`` order, cut to ``FIELDS``, and an instant ``t``; ties at
``t`` are included. A matter that opens and closes in the same instant is closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from .event import DAY, Entry, midnight
from .vocabulary import Vocabulary

CASE, INVOICE, OPPORTUNITY = "case", "invoice", "opportunity"

FIELDS: Mapping[str, frozenset[str]] = {
    CASE: frozenset({"caseId", "category"}),
    INVOICE: frozenset({"invoiceId", "total", "currency", "dueDate", "paymentId"}),
    OPPORTUNITY: frozenset({"opportunityId", "stage", "name"}),
}
"""What must be kept of a matter's entries to know its state, and to name it to a person."""

ISSUED = "finance.invoice.issued.v1"
OVERDUE = "finance.invoice.overdue.v1"
PAYMENT = "finance.payment.received.v1"


class LastEvents(NamedTuple):
    """One matter: its kind, its entries in order, and what their types mean."""

    entity: str
    entries: Sequence[Entry]
    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True)
class Matter:
    """A matter as of an instant. ``changed`` is the entry that opened it, or closed it if it is closed."""

    open: bool
    changed: Entry
    facts: Mapping[str, Any]


def state(events: LastEvents, t: int) -> Matter | None:
    """The matter as of ``t``; ``None`` when nothing opened or closed it yet."""
    return _invoice(events, t) if events.entity == INVOICE else _opened_or_closed(events, t)


def _opened_or_closed(events: LastEvents, t: int) -> Matter | None:
    opening: Entry | None = None
    closing: Entry | None = None
    for entry in events.entries:
        if entry.at > t:
            break
        kind = events.vocabulary[entry.type]
        role = kind.entity
        if role is None:
            continue
        closes = role.role == "closes" or (role.closes_when is not None and kind.holds(role.closes_when, entry.data))
        if closes:
            closing = entry
        elif role.role == "opens" or role.closes_when is not None:
            opening = entry
    if opening is None:
        return None if closing is None else Matter(False, closing, closing.data)
    if closing is None or opening.at > closing.at:
        return Matter(True, opening, opening.data)
    return Matter(False, closing, opening.data)


def _invoice(events: LastEvents, t: int) -> Matter | None:
    """Closed once the payments in its currency reach its latest total (a part payment does not close)."""
    claim: Entry | None = None
    paid: dict[str, Entry] = {}
    for entry in events.entries:
        if entry.at > t:
            break
        if entry.type == PAYMENT:
            paid[str(entry.data.get("paymentId"))] = entry
        elif entry.type in (ISSUED, OVERDUE):
            claim = entry
    if claim is None:
        return None
    currency = claim.data.get("currency")
    payments = [p for p in paid.values() if p.data.get("currency") == currency]
    if payments and sum((_money(p) for p in payments), Decimal(0)) >= _money(claim):
        return Matter(False, max(payments), claim.data)
    return Matter(True, claim, claim.data)


def overdue_since(events: LastEvents, t: int, days: int = 0) -> Entry | None:
    """The overdue event, if the invoice has been overdue for ``days`` days as of ``t``."""
    matter = state(events, t)
    if matter is None or not matter.open:
        return None
    warned = [entry for entry in events.entries if entry.at <= t and entry.type == OVERDUE]
    due = [entry for entry in events.entries if entry.at <= t and "dueDate" in entry.data]
    if not warned or not due or t < midnight(str(due[-1].data["dueDate"])) + days * DAY:
        return None
    return warned[-1]


def settled_before(events: LastEvents, before: int) -> bool:
    """Whether the matter is closed, and nothing happened to it after ``before``."""
    last = events.entries[-1].at
    if last > before:
        return False
    matter = state(events, last)
    return matter is not None and not matter.open


def _money(entry: Entry) -> Decimal:
    try:
        return Decimal(str(entry.data.get("total")))
    except InvalidOperation:
        return Decimal(0)
