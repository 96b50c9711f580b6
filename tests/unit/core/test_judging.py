"""What a fold that is begun again could get wrong, case by case (semantics 1.6, 1.8).

Each story is told three times: every customer read from their document before each event, kept in memory with all
earlier states, and kept without them after every other event.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from core.timeline.entry import DAY, HOUR, Entry

from .bench import START, Bus, arrived, campaign, complaint, entry

Told = tuple[str, str, int, int | None]
"""State, rule or key, and in µs after the start time and end."""


def told(*story: Entry) -> list[Told]:
    """What is said when the entries arrive in this order; time has come to the latest of them so far."""
    buses = Bus(), Bus(kept=True), Bus(kept=True)
    clock = 0
    for number, one in enumerate(story):
        clock = max(clock, one.at)
        for bus in buses:
            bus.arrive("c", arrived(one), clock)
        if number % 2:
            buses[-1].memory.invalidate("c", 0)
    assert buses[0].said == buses[1].said == buses[2].said, "whatever was at hand"
    assert buses[0].documents == buses[1].documents == buses[2].documents
    alerts = [(said.state, said.alert) for _, said in buses[0].said]
    return [(state, a.key or a.rule, a.time - START, None if a.end is None else a.end - START) for state, a in alerts]


def resolved(at: int, case: int, number: int) -> Entry:
    return entry(at, "service.case.resolved.v1", {"caseId": f"K{case}"}, number)


def call(at: int, number: int) -> Entry:
    told = {"callId": f"L{number}", "direction": "outbound", "outcome": "no_answer"}
    return entry(at, "sales.call.completed.v1", told, number)


def visit(at: int, number: int) -> Entry:
    return entry(at, "web.page.viewed.v1", {"url": "u"}, number)


def test_what_happens_in_one_instant_is_known_before_any_of_it_is_judged() -> None:
    """A case that is opened and resolved in the instant of a campaign was closed just then, whatever comes first."""
    for order in permutations([complaint(START), resolved(START, 1, 2), campaign(START)]):
        said = told(*order)
        assert ("S1", 0, 72 * HOUR) == said[-1][1:]
        assert "fired" == said[0][0]


@pytest.mark.parametrize(("before", "silent"), [(7 * DAY - 1, True), (7 * DAY, False), (2 * HOUR, True)])
def test_a_late_trigger_is_silent_within_the_cooldown_of_what_was_notified_and_takes_nothing_back(
    before: int, silent: bool
) -> None:
    at = START + 10 * HOUR
    said = told(complaint(START - 8 * DAY), campaign(at), campaign(at - before, 101))
    fired = ("fired", "S1", 10 * HOUR, 10 * HOUR + 14 * DAY)
    other = ("fired", "S1", 10 * HOUR - before, 10 * HOUR - before + 14 * DAY)
    assert [fired] if silent else [fired, other] == said


def test_a_late_end_of_an_alert_frees_what_it_had_kept_silent() -> None:
    """The second campaign of the same name was silent while the first alert stood, for two weeks; it ended after four
    days.
    """
    second = 8 * DAY + HOUR
    said = told(
        complaint(START),
        campaign(START + HOUR),
        complaint(START + 5 * DAY, 2),
        campaign(START + second, 101),
        resolved(START + DAY, 1, 3),
    )
    first = ("fired", "S1", HOUR, HOUR + 14 * DAY)
    freed, over = ("fired", "S1", second, second + 14 * DAY), ("resolved", "S1", HOUR, 4 * DAY)
    assert sorted([first, freed, over]) == sorted(said)


def test_an_end_that_an_event_in_order_puts_earlier_is_said_in_time() -> None:
    """Between its alert and the resolution the customer was looked at, and nothing was to end for two weeks."""
    said = told(
        complaint(START),
        campaign(START + HOUR),
        visit(START + 2 * HOUR, 2),
        resolved(START + 3 * HOUR, 1, 3),
        visit(START + 75 * HOUR - 1, 4),
        visit(START + 75 * HOUR, 5),
        visit(START + 76 * HOUR, 6),
    )
    assert [("fired", "S1", HOUR, HOUR + 14 * DAY), ("resolved", "S1", HOUR, 75 * HOUR)] == said


@pytest.mark.parametrize("visits", [0, 1, 40])
def test_an_alert_that_fired_before_the_late_event_keeps_what_it_was_bound_to_and_ends_as_is_known_now(
    visits: int,
) -> None:
    said = told(
        complaint(START),
        campaign(START + HOUR),
        *(visit(START + (2 + number) * HOUR, 10 + number) for number in range(visits)),
        visit(START + 60 * HOUR, 200),
        resolved(START + 30 * HOUR, 1, 3),
        visit(START + 101 * HOUR, 201),
        visit(START + 103 * HOUR, 202),
    )
    assert [("fired", "S1", HOUR, HOUR + 14 * DAY), ("resolved", "S1", HOUR, 102 * HOUR)] == said


@pytest.mark.parametrize(("until", "state"), [(10 * DAY, "updated"), (20 * DAY, "expired")])
def test_an_alert_that_was_put_away_stands_again_or_ends_later_when_something_late_says_so(
    until: int, state: str
) -> None:
    said = told(
        complaint(START),
        campaign(START + HOUR),
        resolved(START + 2 * HOUR, 1, 2),
        visit(START + until - 1, 10),
        visit(START + until, 11),
        complaint(START + 50 * HOUR, 3),
    )
    expected = [
        ("fired", "S1", HOUR, HOUR + 14 * DAY),
        ("resolved", "S1", HOUR, 74 * HOUR),
        (state, "S1", HOUR, HOUR + 14 * DAY),
    ]
    assert expected == said


def test_a_window_reaches_back_before_the_state_from_which_a_late_event_is_folded() -> None:
    paid = {"invoiceId": "I1", "total": "1.00", "currency": "EUR"}
    said = told(
        call(START, 1),
        call(START + 20 * HOUR, 2),
        *(
            entry(START + (21 + n) * HOUR, "finance.payment.received.v1", {**paid, "paymentId": f"P{n}"}, 10 + n)
            for n in range(30)
        ),
        call(START + 23 * HOUR, 3),
    )
    assert [("fired", "contact-fatigue", 23 * HOUR, 23 * HOUR + 7 * DAY)] == said


def test_what_is_decided_is_not_notified_and_is_known_all_the_same() -> None:
    """A complaint of 500 days ago is open; the campaign of 450 days ago comes late and wakes nobody."""
    said = told(
        complaint(START - 500 * DAY),
        visit(START, 10),
        campaign(START - 450 * DAY, 101),
        campaign(START + 1, 102),
    )
    assert [("fired", "S1", 1, 1 + 14 * DAY)] == said


def test_what_a_late_event_retracts_frees_its_own_rule_only_and_only_near_it() -> None:
    """Three calls in a day fire; a reply before the third comes late and takes that back; the others stay."""
    said = told(
        *(call(START + hour * HOUR, hour) for hour in (0, 3, 6)),
        complaint(START + 7 * HOUR, 50),
        campaign(START + 8 * HOUR),
        entry(START + 5 * HOUR, "service.conversation.ended.v1", {"direction": "inbound"}, 60),
    )
    fatigue = ("contact-fatigue", 6 * HOUR)
    states = [(state, key, time) for state, key, time, _ in said]
    expected = [
        ("fired", *fatigue),
        ("resolved", *fatigue),
        ("fired", "S1", 8 * HOUR),
        ("retracted", *fatigue),
    ]
    assert expected == states
