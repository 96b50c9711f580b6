"""What an invoice's state follows from: what was claimed, paid, disputed, credited, voided (semantics 1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from .event import DAY, Entry, midnight
from .features import Ref, Taken

ISSUED = "finance.invoice.issued.v1"
OVERDUE = "finance.invoice.overdue.v1"
PAYMENT = "finance.payment.received.v1"
DISPUTED = "finance.payment.disputed.v1"
CREDIT = "finance.credit.issued.v1"
VOIDED = "finance.invoice.voided.v1"
WRITTEN_OFF = "finance.invoice.written_off.v1"


class Money(Struct, frozen=True, gc=False, array_like=True):
    """What was claimed, paid or credited."""

    at: int
    currency: str
    total: str


class Bill(Struct, frozen=True, gc=False, array_like=True):
    """``claim``: the latest issue or overdue event, and its ``claimed`` money; ``warned``: the latest overdue event.

    ``due``: 00:00 UTC of its due date; ``issued``, ``ended``: the latest issue, and void or write-off (instants, µs).
    Payments, disputes of payments and credits by id, the latest of each.
    """

    claim: Ref | None = None
    claimed: Money | None = None
    warned: Ref | None = None
    due: int | None = None
    issued: int = -1
    ended: int = -1
    paid: tuple[tuple[str, Money], ...] = ()
    disputed: tuple[tuple[str, int], ...] = ()
    credited: tuple[tuple[str, Money], ...] = ()

    @property
    def closed(self) -> bool:
        """Closed while payments and credits reach what was claimed, and from a void or write-off on."""
        return self.ended >= max(self.issued, 0) or (self.claimed is not None and self._reaches(self.claimed))

    def _reaches(self, claimed: Money) -> bool:
        disputed = dict(self.disputed)
        counted = [money for name, money in self.paid if disputed.get(name, -1) < money.at]
        counted += [money for _, money in self.credited]
        total = sum((_decimal(one.total) for one in counted if one.currency == claimed.currency), Decimal(0))
        return total >= _decimal(claimed.total)


NO_BILL = Bill()


def billed(before: Bill, taken: Sequence[Taken]) -> Bill:
    """The bill once the entries of the next instant are known."""
    bill = before
    for one in taken:
        bill = _with(bill, one)
    return bill


def _with(bill: Bill, taken: Taken) -> Bill:
    entry, name = taken.entry, taken.kind.name
    if name in (ISSUED, OVERDUE):
        return _claimed(bill, taken)
    if name == PAYMENT:
        return replace(bill, paid=_put(bill.paid, str(entry.data.get("paymentId")), _money(entry)))
    if name == DISPUTED:
        return replace(bill, disputed=_put(bill.disputed, str(entry.data.get("paymentId")), entry.at))
    if name == CREDIT:
        return replace(bill, credited=_put(bill.credited, str(entry.data.get("creditId")), _money(entry)))
    if name in (VOIDED, WRITTEN_OFF):
        return replace(bill, ended=entry.at)
    return bill


def _claimed(bill: Bill, taken: Taken) -> Bill:
    entry, claim = taken.entry, taken.ref
    overdue = taken.kind.name == OVERDUE
    date, due = taken.kind.kept(entry.data, "dueDate"), bill.due
    if date is not None:
        due = midnight(str(date))
    elif due is None and overdue:
        due = entry.at - entry.at % DAY
    warned, issued = (claim, bill.issued) if overdue else (bill.warned, entry.at)
    return replace(bill, claim=claim, claimed=_money(entry), warned=warned, due=due, issued=issued)


_Value = TypeVar("_Value")


def _put(items: tuple[tuple[str, _Value], ...], name: str, value: _Value) -> tuple[tuple[str, _Value], ...]:
    return tuple({**dict(items), name: value}.items())


def _money(entry: Entry) -> Money:
    return Money(entry.at, str(entry.data.get("currency")), str(entry.data.get("total")))


@lru_cache(maxsize=10_000)
def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)
