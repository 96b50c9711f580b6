"""What an event costs when much came before, in instructions, look-ups and entries that are read, never in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import pytest

from benchmarks.guard import instructions
from core.alerts.history import folded_entries
from core.alerts.matching import instants
from core.customer.arrival import Arrived
from core.timeline.entry import BEFORE_ALL, DAY, FOREVER, HOUR, Entry
from core.timeline.features import Taken
from core.timeline.matters import FIELDS, INVOICE, MattersOf

from .bench import RULES, START, Bus, Memory, arrived, entry

VISIT = "web.page.viewed.v1"
BILL = {"invoiceId": "I1", "currency": "EUR"}
FEATURE = MattersOf(INVOICE, FOREVER, FIELDS[INVOICE])


class Told:
    """A context that has the entries of a matter at hand."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.taken = list(folded_entries(entries, RULES))

        self.states: dict[str, tuple[int, object]] = {}

    def matter(self, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Taken]:
        """Those from that instant on and before another (µs)."""
        return [one for one in self.taken if one.matter == (kind, name) and since <= one.entry.at < before]

    def cached_matter(self, kind: str, name: str, before: int) -> tuple[int, object] | None:
        """What was remembered, if it is not too late."""
        found = self.states.get(name)
        return None if found is None or found[0] > before else found

    def cache_matter(self, kind: str, name: str, until: int, state: object) -> None:
        """Remembers it."""
        self.states[name] = until, state


class Read(Memory):
    """A memory that counts the entries that were read."""

    read = 0

    def matter(self, customer: str, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Entry]:
        read, found = self.read, super().matter(customer, kind, name, before, since)
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
        for together in instants(folded_entries(entries, RULES)):
            state = FEATURE.take(state, together, Told(()))
        (together,) = instants(folded_entries([paid(payments + 1)], RULES))
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
    bus, contracts, reads = Bus(kept=True), 9, list[int]()
    bus.memory = memory = Read(RULES, snapshots=True)
    for number in range(40 * contracts):
        before = memory.read
        bus.arrive("c", arrived(told(number, f"M{number % contracts}")))
        reads.append(memory.read - before)
    assert max(reads) == 0


def test_what_is_remembered_of_a_matter_is_what_its_history_says_and_is_changed_by_nobody() -> None:
    feature = MattersOf(INVOICE, 0, FIELDS[INVOICE])
    disputed = {**BILL, "paymentId": "P7", "disputeId": "D1"}
    history = [
        *(paid(number) for number in range(20)),
        entry(START + 30, "finance.payment.disputed.v1", disputed, 30),
        *(paid(number) for number in range(40, 50)),
    ]
    told, seen = Told(history), list[tuple[int, object, bytes]]()
    for instant in range(START, START + 60, 7):
        found = feature.recalled("I1", instant, told)
        assert found == feature.recalled("I1", instant, Told(history))
        seen.append((instant, found, msgspec.msgpack.encode(found)))
    assert all(msgspec.msgpack.encode(found) == then for _, found, then in seen)


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
    bus.arrive("c", Arrived(earlier, later.at, arrived(later).masked_identifiers))
    assert (101, earlier.at) == (bus.customer("c").entries, bus.customer("c").last_at)
    assert memory.read <= 4
