"""What a naive way of folding again gets wrong, case by case: merges, and copies that stand earlier.

Each test fails with a bug of the same case planted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from msgspec import structs

from core.customer.arrival import Arrived, Ignored, Refused, Written
from core.customer.step import Merge, Moved, MovedOut, step
from core.timeline.entry import DAY, HOUR, Entry

from .bench import (
    ALWAYS,
    DONE,
    RULES,
    START,
    Bus,
    arrived,
    call,
    campaign,
    case,
    complaint,
    ruled,
    talk,
    tell,
    visit,
)

# --- merges ----------------------------------------------------------------------------------------------------------


def leave(bus: Bus, into: str, clock: int) -> tuple[list[Arrived], MovedOut]:
    """Customer b's past on its way."""
    entries = sorted(bus.memory.held["b"].values(), key=lambda one: (one.entry.at, one.entry.uid))
    *_, shipped = bus.arrive("b", Merge(into, 3), clock)
    assert isinstance(shipped, MovedOut)
    return entries, shipped


def moved(entries: Iterable[Arrived], shipped: MovedOut, parts: int = 1) -> Moved:
    arriving, decided, until = shipped.arriving, shipped.decided_until, shipped.until
    return Moved("b/3", parts, tuple(entries), shipped.alerts, arriving, decided, until)


def test_a_merges_entries_make_every_state_of_before_void(kept: bool) -> None:
    """After a merge that brought a complaint an event comes late: it is folded from no state that lacks that."""
    bus = Bus(kept=kept)
    bus.arrive("b", arrived(complaint(START + HOUR)), START + HOUR)
    tell(bus, *(visit(START + hours * HOUR, 10 + hours) for hours in (0, 2, 4)))
    entries, shipped = leave(bus, "c", START + 5 * HOUR)
    bus.arrive("c", moved(entries, shipped), START + 5 * HOUR)
    assert ["fired S1"] == tell(bus, campaign(START + 3 * HOUR), clock=START + 5 * HOUR)


def test_while_parts_of_a_merge_are_missing_nothing_is_folded(kept: bool) -> None:
    """Half a history would say that the complaint is open still."""
    bus = Bus(kept=kept)
    tell(bus, complaint(START))
    for one in (talk(START, 2), case(START + HOUR, 3, DONE)):
        bus.arrive("b", arrived(one), one.at)
    entries, shipped = leave(bus, "c", START + 9 * DAY)
    bus.arrive("c", Moved("b/3", 2, tuple(entries[:1])), START + 9 * DAY)
    assert [] == tell(bus, campaign(START + 10 * DAY))
    bus.arrive("c", moved(entries[1:], shipped, 2), START + 10 * DAY)
    assert [] == bus.said
    assert ([], 0) == bus.customer("c").open_matters(RULES)


@pytest.mark.parametrize(("reply", "expected"), [(-2 * DAY, [("c", "updated")]), (HOUR + 1, [])])
def test_after_a_merge_what_the_other_was_told_is_notified_here_or_dropped_in_silence(
    kept: bool, reply: int, expected: list[tuple[str, str]]
) -> None:
    """``reply``: when the customer was in touch, as only the other one's past tells."""
    bus = Bus(kept=kept)
    for one in (call(START, 1), call(START + HOUR, 2), call(START + 2 * HOUR, 3)):
        bus.arrive("b", arrived(one), one.at)
    tell(bus, talk(START + reply, 4))
    entries, shipped = leave(bus, "c", START + DAY)
    bus.arrive("c", moved(entries, shipped), START + DAY)
    assert [("b", "fired"), ("b", "retracted"), *expected] == [(name, said.state) for name, said in bus.said]
    assert len(expected) == len(bus.customer("c").alerts)


def test_a_merge_brings_along_how_far_time_had_come(kept: bool) -> None:
    bus = Bus(kept=kept)
    bus.arrive("b", arrived(visit(START, 1)), START + 20 * DAY)
    tell(bus, complaint(START), campaign(START + HOUR))
    entries, shipped = leave(bus, "c", START + 20 * DAY)
    before = len(bus.said)
    bus.arrive("c", moved(entries, shipped), START + 2 * HOUR)
    assert ["expired"] == [said.state for _, said in bus.said[before:]]


def test_whoever_left_has_no_open_matters_whatever_was_told_of_them_last() -> None:
    bus = Bus()
    bus.arrive("b", arrived(complaint(START)), START)
    bus.change_rules(ruled({"if": ALWAYS}))
    assert 1 == bus.customer("b").open_matters(bus.rules)[1]
    customer = bus.customer("b")
    step(customer, Merge("c", 3), bus.rules, bus.memory, START + DAY)
    assert ((), 0) == customer.open_matters(bus.rules)


def test_evidence_by_reference_is_told_before_a_merge_ships_it(kept: bool) -> None:
    bus = Bus(kept=kept)
    for one in (complaint(START), campaign(START + HOUR)):
        bus.arrive("b", arrived(one), one.at)
    leave(bus, "c", START + DAY)
    fired, retracted = (said for _, said in bus.said)
    assert ("retracted", fired.reason, fired.evidence) == (retracted.state, retracted.reason, retracted.evidence)


# --- copies ----------------------------------------------------------------------------------------------------------


def ahead(made: Entry, received: int) -> Arrived:
    """A copy that the broker had before it happened, by the department's clock."""
    return Arrived(structs.replace(made, at=min(made.at, received)), made.at)


def test_copies_and_refused_events_say_nothing_not_even_an_end_that_has_come(kept: bool) -> None:
    bus = Bus(kept=kept)
    tell(bus, complaint(START), campaign(START + HOUR))
    then = START + 20 * DAY
    (ignored,) = bus.arrive("c", arrived(complaint(START)), then)
    (refused,) = bus.arrive("c", arrived(case(START, 1, name="K9")), then)
    assert (Ignored, Refused) == (type(ignored), type(refused))
    assert ["fired"] == [said.state for _, said in bus.said]
    assert ["expired S1"] == tell(bus, visit(then, 2))


def test_a_copy_with_an_earlier_instant_moves_its_entry_and_is_there_once(kept: bool) -> None:
    rules = ruled({"if": {"unanswered": "contact", "at_least": 3, "within": "24h"}, "key": "campaignId"})
    bus = Bus(rules, kept=kept)
    tell(bus, visit(START - HOUR, 8))
    first = call(START + HOUR, 1)
    bus.arrive("c", ahead(first, START + 9), START + 9)
    (joined, *_) = bus.arrive("c", ahead(first, START + 5), START + 10)
    assert isinstance(joined, Written)
    assert [] == tell(bus, campaign(START + 2 * HOUR, 2, "S2"))
    assert ["fired S3"] == tell(bus, campaign(START + 3 * HOUR, 3, "S3"))


def test_an_alert_whose_trigger_moves_keeps_its_id_and_takes_the_smaller_time(kept: bool) -> None:
    bus = Bus(kept=kept)
    tell(bus, complaint(START - HOUR))
    bus.arrive("c", ahead(campaign(START + HOUR), START + 9), START + 9)
    bus.arrive("c", ahead(campaign(START + HOUR), START + 5), START + 10)
    (fired, updated) = (said for _, said in bus.said)
    assert ("fired", "updated") == (fired.state, updated.state)
    assert fired.alert.id == updated.alert.id
    assert (START + 9, START + 5) == (fired.alert.time, updated.alert.time)


def test_time_does_not_go_back_when_a_copy_puts_the_latest_entry_earlier(kept: bool) -> None:
    bus = Bus(ruled({"if": ALWAYS, "expires": "12h"}), kept=kept)
    bus.arrive("c", arrived(campaign(START)), START)
    ahead, earlier = visit(START + 30 * HOUR, 1), visit(START + 10 * HOUR, 1)
    bus.arrive("c", arrived(ahead), START)
    bus.arrive("c", replace(arrived(earlier), time=ahead.at), START)
    assert [START + 10 * HOUR] == [one.at for one in bus.memory.since("c", START + 1)]
    bus.arrive("c", arrived(campaign(START + 13 * HOUR, 2)), START)
    assert ["fired", "expired", "expired"] == [said.state for _, said in bus.said]


def test_evidence_by_reference_is_told_at_the_instant_at_which_it_stood(kept: bool) -> None:
    rules = ruled({"if": {"unanswered": "contact", "at_least": 2, "within": "1h"}, "key": "campaignId"})
    bus = Bus(rules, kept=kept)
    first = call(START + HOUR, 1)
    tell(bus, first, campaign(START + 2 * HOUR - 1, 2))
    bus.arrive("c", ahead(first, START), START + 3 * HOUR)
    fired, retracted = (said for _, said in bus.said)
    assert ("fired", "retracted") == (fired.state, retracted.state)
    assert fired.evidence == retracted.evidence
