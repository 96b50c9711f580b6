"""Matters that open and close: cases, invoices, opportunities. Their state as of an instant (semantics 1.5).

A matter's past is a list of ``Matter`` values, each good from its ``since`` until the next one's; entries of the same
instant count together. A matter that opens and closes in the same instant is closed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from .event import Entry, midnight
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


class Matter(NamedTuple):
    """A matter from ``since`` on. ``changed`` is the entry that opened it, or closed it if it is closed.

    ``due`` is 00:00 UTC of an invoice's latest due date, ``warned`` its latest overdue event.
    """

    since: int
    open: bool
    changed: Entry
    facts: Mapping[str, Any]
    due: int | None = None
    warned: Entry | None = None


def past(entity: str, entries: Sequence[Entry], vocabulary: Vocabulary) -> list[Matter]:
    """What became of one matter, given its entries in order."""
    return _invoice(entries) if entity == INVOICE else _opened_or_closed(entries, vocabulary)


def as_of(matters: Sequence[Matter], t: int) -> Matter | None:
    """The matter as of ``t``; ``None`` when nothing opened or closed it yet."""
    index = bisect_right(matters, t, key=lambda matter: matter.since)
    return matters[index - 1] if index else None


def _opened_or_closed(entries: Sequence[Entry], vocabulary: Vocabulary) -> list[Matter]:
    found: list[Matter] = []
    opening: Entry | None = None
    closing: Entry | None = None
    for at, together in groupby(entries, key=lambda entry: entry.at):
        for entry in together:
            kind = vocabulary[entry.type]
            role = kind.entity
            if role is None:
                continue
            if role.role == "closes" or kind.holds(role.closes_when, entry.data):
                closing = entry
            elif role.role == "opens" or role.closes_when is not None:
                opening = entry
        if closing is not None and (opening is None or opening.at <= closing.at):
            found.append(Matter(at, False, closing, {} if opening is None else opening.data))
        elif opening is not None:
            found.append(Matter(at, True, opening, opening.data))
    return found


def _invoice(entries: Sequence[Entry]) -> list[Matter]:
    """Closed once the payments in its currency reach its latest total (a part payment does not close)."""
    found: list[Matter] = []
    claim: Entry | None = None
    warned: Entry | None = None
    due: int | None = None
    paid: dict[str, Entry] = {}
    for at, together in groupby(entries, key=lambda entry: entry.at):
        for entry in together:
            if entry.type == PAYMENT:
                paid[str(entry.data.get("paymentId"))] = entry
            elif entry.type in (ISSUED, OVERDUE):
                claim = entry
                due = midnight(str(entry.data["dueDate"])) if "dueDate" in entry.data else due
                warned = entry if entry.type == OVERDUE else warned
        if claim is None:
            continue
        currency = claim.data.get("currency")
        payments = [payment for payment in paid.values() if payment.data.get("currency") == currency]
        closed = sum((_money(p) for p in payments), Decimal(0)) >= _money(claim)
        changed = max(payments, key=lambda p: (p.at, p.uid), default=claim) if closed else claim
        found.append(Matter(at, not closed, changed, claim.data, due, warned))
    return found


def _money(entry: Entry) -> Decimal:
    return _decimal(str(entry.data.get("total")))


@lru_cache(maxsize=10_000)
def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)
