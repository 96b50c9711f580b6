"""What a naive way of folding again gets wrong, case by case: instants, late events, batches, rules and clocks.

Each test fails with a bug of the same case planted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agents import output_size
from agents.journey import Journey
from core.timeline.entry import DAY, HOUR
from schemas.topics import DEAD, alerts_topic

from ..agents.bench import Journal, event
from .bench import (
    ALWAYS,
    CASE,
    DONE,
    ESCALATED,
    MAIL,
    START,
    TALK,
    VISIT,
    Bus,
    arrived,
    campaign,
    case,
    complaint,
    ends,
    ruled,
    talk,
    tell,
    visit,
)

# --- instants --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1)])
def test_a_tie_is_taken_in_before_any_of_it_is_judged(kept: bool, numbers: tuple[int, int]) -> None:
    for order in ((0, 1), (1, 0)):
        bus = Bus(kept=kept)
        both = complaint(START + HOUR, numbers[0]), campaign(START + HOUR, numbers[1])
        assert ["fired S1"] == tell(bus, visit(START, 9), *(both[index] for index in order))


def test_what_is_resolved_at_its_own_instant_ends_a_microsecond_later(kept: bool) -> None:
    bus = Bus(ruled({"if": ALWAYS, "key": "campaignId", "resolves": {"open": "case"}}), kept=kept)
    assert ["fired S1"] == tell(bus, case(START, 1), campaign(START + HOUR))
    assert [("S1", HOUR + 1)] == ends(bus)
    assert ["resolved S1"] == tell(bus, visit(START + HOUR + 1, 2))


# --- late events -----------------------------------------------------------------------------------------------------


def test_a_late_trigger_within_a_cooldown_takes_nobodys_place(kept: bool) -> None:
    bus = Bus(ruled({"if": ALWAYS, "expires": "1h", "cooldown": "2d"}), kept=kept)
    assert ["fired "] == tell(bus, campaign(START + DAY, 1))
    assert [] == tell(bus, campaign(START + HOUR, 2), clock=START + DAY + 1)
    assert [START + DAY] == [alert.time for alert in bus.customer("c").alerts]


def test_a_retraction_frees_matches_before_the_late_event(kept: bool) -> None:
    rules = ruled({"if": {"none": [{"seen": VISIT, "within": "30m"}]}, "expires": "1h", "cooldown": "1d"})
    bus = Bus(rules, kept=kept)
    tell(bus, talk(START, 9))
    assert ["fired "] == tell(bus, campaign(START + 5 * HOUR, 1))
    assert [] == tell(bus, campaign(START + 3 * HOUR, 2), clock=START + 5 * HOUR)
    late = visit(START + 5 * HOUR - HOUR // 2 + 1, 3)
    assert ["retracted ", "expired "] == tell(bus, late, clock=START + 5 * HOUR)
    assert [START + 3 * HOUR] == [alert.time for alert in bus.customer("c").alerts]


def test_a_late_end_ends_an_alert_earlier_and_what_it_had_suppressed_since_is_decided(kept: bool) -> None:
    bus = Bus(ruled({"if": ALWAYS, "resolves": {"seen": VISIT}, "cooldown": "1h"}), kept=kept)
    assert ["fired "] == tell(bus, campaign(START, 1), campaign(START + 5 * HOUR, 2), campaign(START + 8 * HOUR, 3))
    assert ["fired ", "resolved "] == tell(bus, visit(START + 2 * HOUR, 4), clock=START + 9 * HOUR)
    assert [("", 2 * HOUR), ("", None)] == ends(bus)
    assert [0, 5 * HOUR, 0] == [said.alert.time - START for _, said in bus.said]


def test_an_old_alert_whose_end_is_later_than_the_snapshot_keeps_what_it_was_bound_to(kept: bool) -> None:
    """It fired before the state from which is folded again: its end is looked for from there on, and moves."""
    bus = Bus(ruled({"if": ALWAYS, "key": "campaignId", "resolves": {"none": {"open": "case"}}}), kept=kept)
    tell(bus, case(START, 1), campaign(START + HOUR, 2), case(START + 2 * HOUR, 3, name="K2"))
    tell(bus, case(START + 3 * HOUR, 4, DONE, "K2"))
    assert ["resolved S1"] == tell(bus, case(START + 9 * HOUR, 5, DONE))
    assert [] == tell(bus, case(START + 5 * HOUR, 6, ESCALATED), clock=START + 9 * HOUR)
    assert [("S1", 9 * HOUR)] == ends(bus)
    assert ["resolved S1"] == tell(bus, case(START + 6 * HOUR, 7, DONE), clock=START + 9 * HOUR)
    assert [("S1", 6 * HOUR)] == ends(bus)


def test_an_alert_that_ended_before_the_late_event_keeps_its_end(kept: bool) -> None:
    """What ended it is known of no longer in the state from which is folded again."""
    rules = ruled(
        {"if": ALWAYS, "key": "campaignId", "resolves": {"closed": "case", "same": "campaignId", "within": "1h"}}
    )
    bus = Bus(rules, kept=kept)
    tell(bus, case(START, 1, name="S1"), campaign(START + HOUR, 2), case(START + 2 * HOUR, 3, DONE, "S1"))
    assert [("S1", 2 * HOUR)] == ends(bus)
    tell(bus, *(case(START + hours * HOUR, 10 + hours, name="K3") for hours in (4, 6)))
    assert [] == tell(bus, case(START + 5 * HOUR, 4, name="K2"), clock=START + 6 * HOUR)
    assert [("S1", 2 * HOUR)] == ends(bus)


def test_an_ended_alert_that_nothing_in_order_can_concern_stands_again_after_a_late_event(kept: bool) -> None:
    bus = Bus(kept=kept)
    tell(bus, complaint(START), campaign(START + HOUR), case(START + 2 * HOUR, 2, DONE))
    assert ["resolved S1"] == tell(bus, visit(START + 8 * DAY, 3))
    tell(bus, case(START + 9 * DAY, 4, name="K2", category="question"))
    tell(bus, case(START + 9 * DAY + 1, 5, DONE, "K2"))
    assert ["S1"] == [alert.key for alert in bus.memory.archived("c")]
    assert ["updated S1"] == tell(bus, complaint(START + 50 * HOUR, 6), clock=START + 9 * DAY + 2)
    assert [("S1", HOUR + 14 * DAY)] == ends(bus)


def test_an_ended_alert_silences_until_its_own_cooldown_is_over(kept: bool) -> None:
    rules = ruled({"if": ALWAYS, "resolves": {"seen": VISIT}, "cooldown": "2d"}, {"if": ALWAYS, "when": TALK})
    bus = Bus(rules, kept=kept)
    assert ["fired ", "resolved "] == tell(bus, campaign(START, 1), visit(START + HOUR, 2), visit(START + 2 * HOUR, 3))
    assert [] == tell(bus, campaign(START + 2 * DAY - 1, 4))
    assert ["fired "] == tell(bus, campaign(START + 2 * DAY, 5))


# --- batches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failed", ["aborted", "guarded"])
def test_what_an_aborted_or_guarded_batch_has_passed_is_not_folded_from(
    failed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A complaint of which nothing became: its batch was never committed, or its decision failed."""
    journal = Journal(tmp_path)
    for hour in (8, 9):
        journal.publish("c", event(CASE, f"2026-11-17T{hour:02}:00:00Z", hour, caseId=f"K{hour}", category="question"))
    complaint = event(CASE, "2026-11-17T10:00:00Z", 10, caseId="K10", category="complaint", subject="x" * 3_000)
    if failed == "guarded":
        monkeypatch.setattr(output_size, "MOST_BYTES", 3_000)
    else:
        monkeypatch.setattr(Journey, "committed", lambda *_: None)
    topics = [output.topic for output in journal.publish("c", complaint)]
    assert (DEAD in topics) == (failed == "guarded")
    monkeypatch.undo()
    journal.publish("c", event(CASE, "2026-11-17T12:00:00Z", 12, caseId="K12", category="question"))
    mail = event(MAIL, "2026-11-17T11:00:00Z", 11, campaignId="S1", channel="email")
    journal.publish("c", mail, "marketing")
    assert [] == journal.messages(alerts_topic("marketing"))
    journal.close()


# --- changed rules ---------------------------------------------------------------------------------------------------


def test_under_changed_rules_states_of_other_rules_are_not_gone_on_with() -> None:
    bus = Bus(ruled({"if": {"seen": VISIT, "within": "2d"}, "key": "campaignId"}))
    tell(bus, visit(START, 1))
    bus.change_rules(ruled({"if": {"seen": TALK, "within": "2d"}, "key": "campaignId"}))
    assert [] == tell(bus, campaign(START + HOUR))
    assert ["fired S2"] == tell(bus, talk(START + 2 * HOUR, 2), campaign(START + 3 * HOUR, 101, "S2"))


def test_under_changed_rules_an_alert_ends_as_its_rule_says_by_now_whatever_triggers_that() -> None:
    ends_by_a_visit = {"if": ALWAYS, "resolves": {"seen": VISIT}}
    bus = Bus(ruled(ends_by_a_visit))
    assert ["fired "] == tell(bus, campaign(START + HOUR))
    bus.change_rules(ruled({**ends_by_a_visit, "when": TALK}))
    assert ["resolved "] == tell(bus, visit(START + 2 * HOUR, 1))
    assert [("", 2 * HOUR)] == ends(bus)


# --- clocks ----------------------------------------------------------------------------------------------------------


def test_what_is_decided_after_400_days_is_not_told_any_more_and_still_compared(kept: bool) -> None:
    """The alert has no end. A late event is judged when all of it is decided for good by the journal's clock."""
    rules = ruled({"if": {"none": [{"seen": VISIT, "within": "1h"}]}, "key": "campaignId"})
    bus = Bus(rules, kept=kept)
    assert ["fired S1"] == tell(bus, campaign(START + HOUR))
    then = START + 401 * DAY
    assert [] == tell(bus, visit(START, 1), campaign(START + 2 * HOUR, 101, "S2"), clock=then)
    assert ["S1"] == [alert.key for alert in bus.customer("c").alerts]
    assert ["retracted S1"] == tell(bus, visit(START + HOUR, 3), clock=then)


def test_an_end_has_come_when_something_happened_after_it_though_the_journal_lags_behind(kept: bool) -> None:
    bus = Bus(kept=kept)
    tell(bus, complaint(START), campaign(START + HOUR))
    bus.arrive("c", arrived(visit(START + 20 * DAY, 2)), START + 2 * HOUR)
    assert ["fired", "expired"] == [said.state for _, said in bus.said]
