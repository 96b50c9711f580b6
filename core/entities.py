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

from .event import DAY, Entry, midnight
from .vocabulary import Vocabulary

CASE, INVOICE, OPPORTUNITY = "case", "invoice", "opportunity"

FIELDS: Mapping[str, frozenset[str]] = {
    CASE: frozenset({"caseId", "category"}),
    INVOICE: frozenset({"invoiceId", "total", "currency", "dueDate", "paymentId", "creditId"}),
    OPPORTUNITY: frozenset({"opportunityId", "stage", "name"}),
}
"""What must be kept of a matter's entries to know its state, and to name it to a person."""

UNTOLD = frozenset({"paymentId", "creditId"})
"""Of these, what says nothing about the matter as a whole."""

ISSUED = "finance.invoice.issued.v1"
OVERDUE = "finance.invoice.overdue.v1"
PAYMENT = "finance.payment.received.v1"
DISPUTED = "finance.payment.disputed.v1"
CREDIT = "finance.credit.issued.v1"
VOIDED = "finance.invoice.voided.v1"
WRITTEN_OFF = "finance.invoice.written_off.v1"


class Matter(NamedTuple):
    """A matter from ``since`` on. ``changed`` is the entry that opened it, or closed it if it is closed.

    ``due`` is 00:00 UTC of an invoice's due date (µs), ``warned`` its latest overdue event.
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


def opens(entry: Entry, vocabulary: Vocabulary) -> bool:
    """Whether the entry says that there is such a matter, open or not."""
    kind = vocabulary[entry.type]
    role = kind.entity
    if role is None:
        return False
    moves_on = role.closes_when is not None and not kind.holds(role.closes_when, entry.data)
    return role.role == "opens" or moves_on or entry.type == OVERDUE


def may_close(entry: Entry, vocabulary: Vocabulary) -> bool:
    """Whether the entry can close a matter that others opened."""
    kind = vocabulary[entry.type]
    role = kind.entity
    if role is None or role.role == "opens":
        return False
    return role.role == "closes" or kind.holds(role.closes_when, entry.data) or entry.type in (PAYMENT, CREDIT)


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
    """Closed while payments and credits reach what was claimed, and from a void or write-off on."""
    found: list[Matter] = []
    claim: Entry | None = None
    warned: Entry | None = None
    due: int | None = None
    issued = ended = -1
    paid: dict[str, Entry] = {}
    disputed: dict[str, int] = {}
    credited: dict[str, Entry] = {}
    for at, group in groupby(entries, key=lambda entry: entry.at):
        together = list(group)
        for entry in together:
            if entry.type in (ISSUED, OVERDUE):
                claim = entry
                warned = entry if entry.type == OVERDUE else warned
                issued = at if entry.type == ISSUED else issued
                if "dueDate" in entry.data:
                    due = midnight(str(entry.data["dueDate"]))
                elif due is None and entry.type == OVERDUE:
                    due = at - at % DAY
            elif entry.type == PAYMENT:
                paid[str(entry.data.get("paymentId"))] = entry
            elif entry.type == DISPUTED:
                disputed[str(entry.data.get("paymentId"))] = at
            elif entry.type == CREDIT:
                credited[str(entry.data.get("creditId"))] = entry
            elif entry.type in (VOIDED, WRITTEN_OFF):
                ended = at
        kept = [payment for name, payment in paid.items() if disputed.get(name, -1) < payment.at]
        settled = claim is not None and _reaches([*kept, *credited.values()], claim)
        closed = settled or ended >= max(issued, 0)
        facts = {} if claim is None else claim.data
        if closed:
            before = found[-1] if found else None
            changed = before.changed if before is not None and not before.open else together[-1]
            found.append(Matter(at, False, changed, facts, due, warned))
        elif claim is not None:
            found.append(Matter(at, True, claim, facts, due, warned))
    return found


def _reaches(counted: Sequence[Entry], claim: Entry) -> bool:
    """Whether payments and credits, those in the claim's currency, reach its total."""
    currency = claim.data.get("currency")
    return sum((_money(one) for one in counted if one.data.get("currency") == currency), Decimal(0)) >= _money(claim)


def _money(entry: Entry) -> Decimal:
    return _decimal(str(entry.data.get("total")))


@lru_cache(maxsize=10_000)
def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)
