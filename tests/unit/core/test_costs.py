"""What an event costs when much came before, in instructions, look-ups and entries that are read, never in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from benchmarks.guard import instructions
from core.arrival import Arrived
from core.event import DAY, FOREVER, HOUR, Entry
from core.features import Taken
from core.folding import instants
from core.matters import FIELDS, INVOICE, LONG, MOST_LEFT, MattersOf
from core.past import looked_at

from .bench import RULES, START, Bus, Memory, arrived, entry

VISIT = "web.page.viewed.v1"
BILL = {"invoiceId": "I1", "currency": "EUR"}
FEATURE = MattersOf(INVOICE, FOREVER, FIELDS[INVOICE])


class Told:
    """A context that has the entries of a matter at hand."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.taken = list(looked_at(entries, RULES))

    def matter(self, kind: str, name: str, before: int) -> Sequence[Taken]:
        """Those before that instant (µs)."""
        return [one for one in self.taken if one.matter == (kind, name) and one.entry.at < before]


class Read(Memory):
    """A memory that counts the entries that were read."""

    read = 0

    def matter(self, customer: str, kind: str, name: str, before: int) -> Sequence[Entry]:
        read, found = self.read, super().matter(customer, kind, name, before)
        self.read = read + len(found)
        return found

    def since(self, customer: str, at: int, before: int = FOREVER) -> Sequence[Entry]:
        found = super().since(customer, at, before)
        self.read += len(found)
        return found


def paid(number: int, invoice: str = "I1") -> Entry:
    payment = {**BILL, "invoiceId": invoice, "paymentId": f"P{number}", "total": "1.00"}
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


def escalated(number: int, name: str = "K1") -> Entry:
    return entry(START + number, "service.case.escalated.v1", {"caseId": name}, number)


@pytest.mark.parametrize("told", [paid, escalated])
def test_of_what_is_closed_or_was_never_opened_a_long_history_is_not_read_at_every_event(
    told: Callable[[int, str], Entry],
) -> None:
    bus = Bus(kept=True)
    bus.memory = memory = Read(RULES, snapshots=True)
    names = [f"M{number}" for number in range(MOST_LEFT)]
    for number in range(3 * LONG * MOST_LEFT):
        if number == LONG * MOST_LEFT:
            memory.read = 0
        bus.arrive("c", arrived(told(number, names[number % MOST_LEFT])))
    assert memory.read == 0


def test_what_is_left_of_long_histories_is_what_they_say_and_only_a_few_are() -> None:
    feature = MattersOf(INVOICE, 0, FIELDS[INVOICE])
    told = Told([paid(number, f"I{number % (MOST_LEFT + 2)}") for number in range((MOST_LEFT + 2) * (LONG + 2))])
    state, left = feature.empty(), list[int]()
    for together in instants(told.taken):
        state = feature.take(state, together, told)
        assert all(one == feature.recalled(name, together[0].entry.at + 1, told) for name, one in state.left.items())
        left.append(len(state.left))
    assert {0, MOST_LEFT} <= set(left) <= set(range(MOST_LEFT + 1))
    assert [f"I{number}" for number in range(2, MOST_LEFT + 2)] == list(state.left)


@pytest.mark.parametrize("kept", [False, True])
def test_a_late_event_that_moves_the_ends_of_many_alerts_reads_the_past_of_their_triggers_once(kept: bool) -> None:
    bus, letters, visits = Bus(kept=kept), 20, 100
    bus.memory = memory = Read(RULES, snapshots=kept)
    case = {"caseId": "K1", "category": "billing"}
    entries = [entry(START - visits - 1 + number, VISIT, {"url": "u"}, number) for number in range(visits)]
    entries.append(entry(START, "service.case.opened.v1", case, 1000))
    for number in range(letters):
        letter = {"invoiceId": f"I{number}", "level": 1}
        entries.append(entry(START + HOUR + number, "finance.dunning.sent.v1", letter, 2000 + number))
    entries.append(entry(START + 5 * HOUR, "service.case.resolved.v1", {"caseId": "K1"}, 3000))
    entries += [entry(START + 8 * DAY + number, VISIT, {"url": "u"}, 4000 + number) for number in range(visits)]
    for one in entries:
        bus.arrive("c", arrived(one), one.at)
    said, memory.read = len(bus.said), 0
    late = entry(START + 3 * HOUR, "service.case.resolved.v1", {"caseId": "K1"}, 5000)
    bus.arrive("c", arrived(late), START + 9 * DAY)
    assert [START + 3 * HOUR] * letters == [one.alert.end for _, one in bus.said[said:]]
    assert [True] * letters == [bool(one.evidence) for _, one in bus.said[said:]]
    assert memory.read <= 2 * len(entries)


def test_a_copy_that_puts_the_latest_entry_earlier_reads_what_is_later_than_it_and_no_more() -> None:
    bus = Bus(kept=True)
    bus.memory = memory = Read(RULES, snapshots=True)
    for number in range(100):
        bus.arrive("c", arrived(entry(START + number * HOUR, VISIT, {"url": "u"}, number)))
    memory.read = 0
    later, earlier = (entry(START + 200 * HOUR - before, VISIT, {"url": "u"}, 200) for before in (0, 1))
    bus.arrive("c", arrived(later))
    bus.arrive("c", Arrived(earlier, later.at, arrived(later).masks))
    assert (101, earlier.at) == (bus.customer("c").entries, bus.customer("c").last_at)
    assert memory.read <= 4
