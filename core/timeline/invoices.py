"""The state of an invoice: it follows from what was claimed, paid, disputed, credited, voided (semantics 1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from .entry import DAY, Entry, midnight
from .features import Ref, Taken

ISSUED = "finance.invoice.issued.v1"
OVERDUE = "finance.invoice.overdue.v1"
PAYMENT = "finance.payment.received.v1"
DISPUTED = "finance.payment.disputed.v1"
CREDIT = "finance.credit.issued.v1"
VOIDED = "finance.invoice.voided.v1"
WRITTEN_OFF = "finance.invoice.written_off.v1"


class Money(Struct, frozen=True, gc=False, array_like=True):
    """An amount that was claimed, paid or credited at an instant (µs)."""

    at: int
    currency: str
    total: str


class Bill(Struct, frozen=True, gc=False, array_like=True):
    """What the state of an invoice follows from.

    ``claim``: the latest issued or overdue event; ``claimed``: its amount; ``warned``: the latest overdue event.
    ``due``: 00:00 UTC of the due date; ``issued``: the latest issue; ``ended``: the latest void or write-off (instants,
    µs). ``paid``, ``disputed``, ``credited``: payments, disputes of payments, and credits by id, the latest of each;
    ``sums``: the total of those that count, by currency.
    """

    claim: Ref | None = None
    claimed: Money | None = None
    warned: Ref | None = None
    due: int | None = None
    issued: int = -1
    ended: int = -1
    paid: dict[str, Money] = {}
    disputed: dict[str, int] = {}
    credited: dict[str, Money] = {}
    sums: dict[str, Decimal] = {}

    @property
    def closed(self) -> bool:
        """Whether payments and credits reach what was claimed, or it was voided or written off with no later issue."""
        return self.ended >= max(self.issued, 0) or (self.claimed is not None and self._reaches(self.claimed))

    def _reaches(self, claimed: Money) -> bool:
        return self.sums.get(claimed.currency, _ZERO) >= _decimal(claimed.total)

    def copied(self) -> Bill:
        """A copy that shares no dict with this one."""
        paid, disputed, credited, sums = dict(self.paid), dict(self.disputed), dict(self.credited), dict(self.sums)
        return replace(self, paid=paid, disputed=disputed, credited=credited, sums=sums)

    def counted(self, payment: str) -> Money | None:
        """The payment with that id if it counts; ``None`` if there is none, or a dispute of it is as late or later."""
        money = self.paid.get(payment)
        return None if money is None or self.disputed.get(payment, -1) >= money.at else money


def billed(before: Bill, taken: Sequence[Taken], *, alone: bool = False) -> Bill:
    """The bill after the entries of the next instant. ``alone``: nobody else refers to ``before``, so its dicts are
    changed in place, and a long history is read in linear time.
    """
    bill = before
    for one in taken:
        bill = _with(bill, one, alone)
    return bill


def _with(bill: Bill, taken: Taken, alone: bool) -> Bill:
    entry, name = taken.entry, taken.kind.name
    if name in (ISSUED, OVERDUE):
        return _claimed(bill, taken)
    if name in (PAYMENT, DISPUTED):
        return _paid(bill, taken, alone)
    if name == CREDIT:
        credit, money = str(entry.data.get("creditId")), _money(entry)
        sums = _recounted(bill.sums, bill.credited.get(credit), money, alone)
        return replace(bill, credited=_put(bill.credited, credit, money, alone), sums=sums)
    if name in (VOIDED, WRITTEN_OFF):
        return replace(bill, ended=entry.at)
    return bill


def _paid(bill: Bill, taken: Taken, alone: bool) -> Bill:
    """The bill after a payment, or after a dispute of one."""
    entry, payment = taken.entry, str(taken.entry.data.get("paymentId"))
    before = bill.counted(payment)
    if taken.kind.name == PAYMENT:
        bill = replace(bill, paid=_put(bill.paid, payment, _money(entry), alone))
    else:
        bill = replace(bill, disputed=_put(bill.disputed, payment, entry.at, alone))
    return replace(bill, sums=_recounted(bill.sums, before, bill.counted(payment), alone))


def _recounted(sums: dict[str, Decimal], before: Money | None, now: Money | None, alone: bool) -> dict[str, Decimal]:
    """The sums after one payment or credit changed from ``before`` to ``now``; ``None``: it does not count."""
    for money, sign in ((before, -1), (now, 1)):
        if money is not None:
            total = sums.get(money.currency, _ZERO) + sign * _decimal(money.total)
            sums = _put(sums, money.currency, total, alone)
    return sums


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
_ZERO = Decimal(0)


def _put(items: dict[str, _Value], name: str, value: _Value, alone: bool) -> dict[str, _Value]:
    if not alone:
        return {**items, name: value}
    items[name] = value
    return items


def _money(entry: Entry) -> Money:
    return Money(entry.at, str(entry.data.get("currency")), str(entry.data.get("total")))


@lru_cache(maxsize=10_000)
def _decimal(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return _ZERO
    return found if found.is_finite() else _ZERO
