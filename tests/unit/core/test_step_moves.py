"""The step, case by case, as the random worlds of the oracle's tests rarely meet it: copies and moves."""

from __future__ import annotations

import pytest
from msgspec import structs

from core.customer.arrival import Arrived, Ignored, Refused, Written
from core.customer.step import Forwarded, Merge, Moved, MovedOut, step
from core.timeline.entry import DAY, HOUR, Entry, rfc3339

from .bench import RULES, START, Bus, arrived, campaign, complaint, entry, states

# --- copies ----------------------------------------------------------------------------------------------------------


def ahead(made: Entry, received: int) -> Arrived:
    """A copy that the broker had before it happened, by the department's clock."""
    return Arrived(structs.replace(made, at=min(made.at, received)), made.at, (("email", made.uid[:2]),))


@pytest.mark.parametrize("order", [(-5, -2), (-2, -5)])
def test_of_copies_the_earlier_one_counts_whichever_comes_first(order: tuple[int, int]) -> None:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START - HOUR)))
    first, second = (bus.arrive("c", ahead(campaign(START), START + at))[0] for at in order)
    assert isinstance(first, Written)
    if order[0] < order[1]:
        assert Ignored() == second
    else:
        assert again(structs.replace(campaign(START), at=START - 5), START - 2) == second
    assert [START - 5] == [alert.time for alert in bus.customer("c").alerts]
    assert [rfc3339(START - HOUR), rfc3339(START - 5)] == [one["time"] for one in bus.said[-1][1].evidence], (
        "said with its instant"
    )


def again(made: Entry, moved_from: int) -> Written:
    return Written(made, late=False, nth=0, taken=RULES.taken(made), moved_from=moved_from)


def test_an_alert_whose_trigger_stands_earlier_is_updated() -> None:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START - HOUR)), START)
    bus.arrive("c", ahead(campaign(START + HOUR), START + 7), START + 7)
    bus.arrive("c", ahead(campaign(START + HOUR), START + 5), START + 8)
    bus.arrive("c", ahead(campaign(START + HOUR), START + 6), START + 9)
    said = [(said.state, said.alert.time, said.alert.expires) for _, said in bus.said]
    assert [("fired", START + 7, START + 7 + 14 * DAY), ("updated", START + 5, START + 5 + 14 * DAY)] == said


def test_a_copy_that_reaches_the_surviving_customer_before_the_move_is_one_entry_and_one_alert() -> None:
    bus = Bus()
    bus.arrive("b", arrived(complaint(START - HOUR)), START)
    bus.arrive("b", ahead(campaign(START + HOUR), START + 5), START + 5)
    entries = sorted(bus.memory.held["b"].values(), key=lambda one: (one.entry.at, one.entry.uid))
    *_, shipped = bus.arrive("b", Merge("a", 3), START + 9)
    assert isinstance(shipped, MovedOut)
    bus.arrive("a", arrived(complaint(START - 2 * HOUR, 7)), START + 10)
    bus.arrive("a", ahead(campaign(START + HOUR), START + 7), START + 10)
    (copied,) = bus.customer("a").alerts
    bus.arrive("a", Moved("b/3", 1, tuple(entries), shipped.alerts), START + 11)
    (alert,) = bus.customer("a").alerts
    assert (copied.id, START + 7, START + 5) == (alert.id, copied.time, alert.time)
    assert ("updated", START + 5) == (bus.said[-1][1].state, bus.said[-1][1].alert.time)
    assert 3 == bus.customer("a").entries


def test_what_the_profile_says_of_an_entry_that_stands_earlier_is_of_that_instant() -> None:
    bus = Bus()
    sent = campaign(START + HOUR)
    named = structs.replace(sent, data={**sent.data, "customer": {"name": "Ada"}})
    bus.arrive("c", ahead(named, START + 7))
    older = structs.replace(complaint(START), data={"caseId": "K1", "category": "other", "customer": {"name": "Ida"}})
    bus.arrive("c", arrived(older))
    bus.arrive("c", ahead(named, START - 7))
    customer = bus.customer("c")
    assert (2, START, "Ida") == (customer.entries, customer.last_at, customer.name)
    assert {"marketing": START - 7} == customer.last_contact


def test_a_copy_is_ignored_whatever_its_arrival_and_another_content_is_refused() -> None:
    bus, made = Bus(), complaint(START)
    bus.arrive("c", arrived(made))
    assert [Ignored()] == bus.arrive("c", arrived(made))
    other = structs.replace(made, data={"caseId": "K9", "category": "question"})
    (refused,) = bus.arrive("c", Arrived(other, made.at))
    assert isinstance(refused, Refused)
    assert ("id-reused", True) == (refused.reason, "'w'" in refused.message)


def test_a_moved_copy_with_other_content_is_refused_where_it_arrives() -> None:
    bus = Bus()
    made = complaint(START)
    bus.arrive("a", arrived(made), START)
    other = structs.replace(made, data={"caseId": "K9", "category": "question"})
    customer = bus.customer("a")
    found = step(customer, Moved("b/1", 1, (arrived(made), arrived(other))), RULES, bus.memory, START)
    assert [(Ignored, 0), (Refused, 1)] == [(type(one), getattr(one, "nth", 0)) for one in found[:2]]


# --- moves -----------------------------------------------------------------------------------------------------------


def test_a_merged_away_customer_forwards_everything_and_ignores_a_second_merge() -> None:
    bus = Bus()
    bus.arrive("b", arrived(complaint(START)), START)
    bus.arrive("b", Merge("a", 3), START + 1)
    customer = bus.customer("b")
    record = arrived(campaign(START + HOUR))
    assert [Forwarded("a")] == step(customer, record, RULES, bus.memory, START + HOUR)
    assert [Forwarded("a")] == step(customer, Moved("z/1", 1, ()), RULES, bus.memory, START + HOUR)
    assert [] == step(customer, Merge("z", 4), RULES, bus.memory, START + HOUR)
    assert ("a", 3) == (customer.merged_into, customer.version)


def test_nothing_is_judged_while_a_part_of_a_move_is_missing() -> None:
    bus = Bus()
    first, second = arrived(complaint(START)), arrived(campaign(START + HOUR))
    bus.arrive("a", Moved("b/1", 2, (second,)), START + DAY)
    bus.arrive("a", arrived(campaign(START + 2 * HOUR, 101, "S2")), START + DAY)
    assert [] == states(bus)
    bus.arrive("a", Moved("b/1", 2, (first,)), START + DAY)
    assert ["fired", "fired"] == states(bus)


def test_half_a_history_fires_no_false_alert() -> None:
    bus = Bus()
    call = {"callId": "L", "direction": "outbound", "outcome": "no_answer"}
    calls = [arrived(entry(START + hour * HOUR, "sales.call.completed.v1", call, hour)) for hour in (0, 3, 6)]
    reply = arrived(entry(START + 4 * HOUR, "service.conversation.ended.v1", {"channel": "phone"}, 50))
    bus.arrive("a", Moved("b/1", 2, tuple(calls)), START + DAY)
    bus.arrive("a", Moved("b/1", 2, (reply,)), START + DAY)
    assert [] == states(bus)


def test_parts_of_a_move_that_are_still_to_come_are_waited_for_after_the_next_merge() -> None:
    bus = Bus()
    first, second, third = (arrived(campaign(START + n * HOUR, n, f"S{n}")) for n in (1, 2, 3))
    bus.arrive("a", Moved("b/1", 2, (first,)), START + DAY)
    (shipped,) = bus.arrive("a", Merge("c", 9), START + DAY)
    assert isinstance(shipped, MovedOut)
    assert {"b/1": 1} == shipped.arriving
    bus.arrive("c", Moved("a/9", 1, (first,), shipped.alerts, shipped.arriving), START + DAY)
    bus.arrive("c", third, START + DAY)
    assert {"b/1": 1} == bus.customer("c").arriving
    bus.arrive("c", Moved("b/1", 2, (second,)), START + DAY)
    assert {} == bus.customer("c").arriving
    assert ["fired"] == states(bus)
