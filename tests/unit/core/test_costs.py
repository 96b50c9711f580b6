"""What an event costs when much came before, in instructions, look-ups and entries that are read, never in time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from benchmarks.guard import instructions
from core.event import FOREVER, Entry
from core.features import Taken
from core.folding import instants
from core.matters import FIELDS, INVOICE, MattersOf
from core.past import looked_at

from .bench import RULES, START, entry

BILL = {"invoiceId": "I1", "currency": "EUR"}
FEATURE = MattersOf(INVOICE, FOREVER, FIELDS[INVOICE])


class Told:
    """A context that has the entries of a matter at hand."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._taken = list(looked_at(entries, RULES))

    def matter(self, kind: str, name: str, before: int) -> Sequence[Taken]:
        """Those before that instant (µs)."""
        return [one for one in self._taken if one.entry.at < before]


def paid(number: int) -> Entry:
    payment = {**BILL, "paymentId": f"P{number}", "total": "1.00"}
    return entry(START + number, "finance.payment.received.v1", payment, number)


def claimed_and_paid(payments: int, total: str) -> list[Entry]:
    """An invoice over so much, and so many payments of 1.00."""
    issued = entry(START, "finance.invoice.issued.v1", {**BILL, "total": total}, 0)
    return [issued, *(paid(number) for number in range(1, payments + 1))]


def test_a_payment_of_an_open_invoice_costs_the_same_whatever_was_paid_before() -> None:
    found = []
    for payments in (20, 400):
        entries = claimed_and_paid(payments, "9999.00")
        state = FEATURE.empty()
        for together in instants(looked_at(entries, RULES)):
            state = FEATURE.take(state, together, Told(()))
        (together,) = instants(looked_at([paid(payments + 1)], RULES))
        after, count = instructions(partial(FEATURE.take, state, together, Told(())))
        assert ["I1"] == list(after.open)
        found.append(count)
    assert found[1] <= found[0]


def test_the_history_of_an_invoice_is_read_in_the_time_of_its_length() -> None:
    found = []
    for payments in (100, 400):
        told = Told(claimed_and_paid(payments, "1.00"))
        matter, count = instructions(partial(FEATURE.recalled, "I1", FOREVER, told))
        assert matter is not None
        assert matter.changed is not None
        assert (False, START + 1) == (matter.open, matter.changed.at)
        found.append(count)
    assert found[1] <= 4.1 * found[0]
