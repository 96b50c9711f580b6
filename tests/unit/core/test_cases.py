"""What a naive way of folding again gets wrong, case by case; each test fails with a bug of the same case planted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from agents import output_size
from agents.journey import Journey
from core.customer.arrival import Arrived, Ignored, Refused, Written
from core.customer.step import Merge, Moved, Shipped, step
from core.rules.parsing import parse_rule
from core.rules.ruleset import RuleSet
from core.timeline.entry import BEFORE_ALL, DAY, HOUR, Entry
from schemas.topics import DEAD, alerts_topic

from ..agents.bench import Journal, event
from .bench import RULES, START, VOCABULARY, Bus, arrived, campaign, complaint, entry

MAIL, VISIT, TALK = "marketing.campaign.sent.v1", "web.page.viewed.v1", "service.conversation.ended.v1"
CASE, DONE, ESCALATED = "service.case.opened.v1", "service.case.resolved.v1", "service.case.escalated.v1"


@pytest.fixture(params=[False, True], ids=["read again", "kept"])
def kept(request: pytest.FixtureRequest) -> bool:
    """Whether customers and their earlier states stay in memory."""
    return bool(request.param)


def ruled(*parts: Mapping[str, object]) -> RuleSet:
    """Rules of these parts, called r0, r1, …"""
    whole = {
        **{"about": "a case", "version": 1, "when": MAIL, "cooldown": "0s", "severity": "info", "notify": "sales"},
        **{"reason": "a case", "action": "none"},
    }
    told = ({**whole, "rule": f"r{number}", **part} for number, part in enumerate(parts))
    return RuleSet([parse_rule(one, VOCABULARY, ["sales"]) for one in told], VOCABULARY)


ALWAYS = {"field": "channel", "is": "email"}
"""What holds of every ``campaign``."""


def visit(at: int, number: int) -> Entry:
    return entry(at, VISIT, {"url": "u"}, number)


def talk(at: int, number: int) -> Entry:
    return entry(at, TALK, {"direction": "inbound"}, number)


def call(at: int, number: int) -> Entry:
    return entry(at, "sales.call.completed.v1", {"direction": "outbound", "outcome": "no_answer"}, number)


def case(at: int, number: int, kind: str = CASE, name: str = "K1", category: str = "complaint") -> Entry:
    return entry(at, kind, {"caseId": name, "category": category} if kind == CASE else {"caseId": name}, number)


def tell(bus: Bus, *entries: Entry, clock: int = BEFORE_ALL) -> list[str]:
    """They arrive at their own instants, or all at that of the ``clock``. Returns what was said, by rule's key."""
    before = len(bus.said)
    for one in entries:
        bus.arrive("c", arrived(one), max(clock, one.at))
    return [f"{said.state} {said.alert.key}" for _, said in bus.said[before:]]


def ends(bus: Bus) -> list[tuple[str, int | None]]:
    """Of every alert, by its key, when it ends: µs after ``START``."""
    return [(alert.key, None if alert.end is None else alert.end - START) for alert in bus.alerts("c")]


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


# --- what is not kept ------------------------------------------------------------------------------------------------


def test_a_closed_matter_that_is_named_long_after_is_as_its_history_says(kept: bool) -> None:
    bus = Bus(kept=kept)
    invoice = {"invoiceId": "I1", "total": "10.00", "currency": "EUR", "dueDate": "2026-03-10"}
    paid = {"invoiceId": "I1", "total": "10.00", "currency": "EUR", "paymentId": "P1"}
    tell(bus, entry(START, "finance.invoice.issued.v1", invoice, 1))
    tell(bus, entry(START + 1, "finance.payment.received.v1", paid, 2))
    tell(bus, entry(START + DAY, "finance.invoice.voided.v1", {"invoiceId": "I2"}, 3))
    then = START + 90 * DAY
    tell(bus, entry(then, "finance.invoice.overdue.v1", {**invoice, "daysOverdue": 10}, 4))
    assert ([], 0) == bus.customer("c").open_matters(RULES)


def test_a_closed_matter_is_recalled_as_of_the_instant_and_not_as_it_became(kept: bool) -> None:
    """An escalation, late, of a case that was closed then and is open by now."""
    rules = ruled({"if": {"open": "case"}, "key": "campaignId"})
    bus = Bus(rules, kept=kept)
    tell(bus, case(START, 1), case(START + HOUR, 2, DONE), case(START + 2 * HOUR, 3, DONE, "K2"))
    tell(bus, campaign(START + 20 * DAY, 4))
    assert [] == tell(bus, case(START + 30 * DAY, 5))
    assert [] == tell(bus, case(START + 10 * DAY, 6, ESCALATED), clock=START + 30 * DAY)


def test_an_end_that_a_closed_matter_decides_is_recalled_as_of_the_instant(kept: bool) -> None:
    """The invoice had been paid when the letter went out, and is claimed again by now."""
    rules = ruled(
        {"when": "finance.dunning.sent.v1", "if": {"field": "level", "is": 1}, "key": "invoiceId"}
        | {"resolves": {"closed": "invoice", "same": "invoiceId"}}
    )
    bus = Bus(rules, kept=kept)
    invoice = {"invoiceId": "I1", "total": "10.00", "currency": "EUR", "dueDate": "2026-03-10"}
    tell(bus, entry(START, "finance.invoice.issued.v1", invoice, 1))
    tell(bus, entry(START + 1, "finance.payment.received.v1", {**invoice, "paymentId": "P1"}, 2))
    tell(bus, entry(START + DAY, "finance.invoice.voided.v1", {"invoiceId": "I2"}, 3))
    tell(bus, entry(START + 30 * DAY, "finance.invoice.issued.v1", {**invoice, "total": "20.00"}, 4))
    letter = entry(START + 10 * DAY, "finance.dunning.sent.v1", {"invoiceId": "I1", "level": 1}, 5)
    assert ["resolved I1"] == tell(bus, letter, clock=START + 30 * DAY)
    assert [("I1", 10 * DAY + 1)] == ends(bus)


@pytest.mark.parametrize(("more", "expected"), [(0, ["fired S1"]), (1, [])])
def test_of_windows_and_what_is_pruned_the_widest_counts_to_its_last_instant(
    kept: bool, more: int, expected: list[str]
) -> None:
    rules = ruled(
        {"if": {"closed": "case", "within": "72h"}, "key": "campaignId"},
        {"if": {"closed": "case", "within": "1h"}, "when": TALK},
    )
    bus = Bus(rules, kept=kept)
    then = START + 72 * HOUR - 1 + more
    tell(bus, case(START - HOUR, 1), case(START, 2, DONE), case(then, 3, name="K2"))
    assert expected == tell(bus, campaign(then, 4))


@pytest.mark.parametrize(("more", "expected"), [(0, ["fired S3"]), (1, [])])
def test_of_contacts_the_widest_window_counts_to_its_last_instant(kept: bool, more: int, expected: list[str]) -> None:
    rules = ruled(
        {"if": {"unanswered": "contact", "at_least": 3, "within": "48h"}, "key": "campaignId"},
        {"if": {"unanswered": "contact", "at_least": 3, "within": "1h"}, "when": TALK},
    )
    bus = Bus(rules, kept=kept)
    tell(bus, call(START, 1), call(START + HOUR, 2))
    assert expected == tell(bus, campaign(START + 48 * HOUR - 1 + more, 3, "S3"))


def test_of_many_due_dates_the_first_ends_an_alert(kept: bool) -> None:
    bus = Bus(ruled({"if": ALWAYS, "key": "campaignId", "resolves": {"overdue": "invoice"}}), kept=kept)
    for number, due in ((1, "2026-03-10"), (2, "2026-03-20")):
        invoice = {"invoiceId": f"I{number}", "total": "10.00", "currency": "EUR", "dueDate": due, "daysOverdue": 0}
        tell(bus, entry(START + number, "finance.invoice.overdue.v1", invoice, number))
    tell(bus, campaign(START + HOUR))
    assert [("S1", 8 * DAY)] == ends(bus)


def test_what_was_seen_is_remembered_whatever_else_is_seen_and_however_long_ago(kept: bool) -> None:
    """``seen`` without ``within``: since the alert fired."""
    news = {"seen": VISIT, "where": {"url": "news"}}
    bus = Bus(
        ruled({"if": ALWAYS, "key": "campaignId", "resolves": {"all": [{"seen": TALK}, {"none": news}]}}), kept=kept
    )
    tell(bus, campaign(START), entry(START + HOUR, VISIT, {"url": "news"}, 1), visit(START + 2 * HOUR, 2))
    tell(bus, talk(START + 300 * DAY, 3))
    assert [("S1", None)] == ends(bus)


# --- merges ----------------------------------------------------------------------------------------------------------


def leave(bus: Bus, into: str, clock: int) -> tuple[list[Arrived], Shipped]:
    """Customer b's past on its way."""
    entries = sorted(bus.memory.held["b"].values(), key=lambda one: (one.entry.at, one.entry.uid))
    *_, shipped = bus.arrive("b", Merge(into, 3), clock)
    assert isinstance(shipped, Shipped)
    return entries, shipped


def moved(entries: Iterable[Arrived], shipped: Shipped, parts: int = 1) -> Moved:
    arriving, settled, until = shipped.arriving, shipped.decided_until, shipped.until
    return Moved("b/3", parts, tuple(entries), shipped.alerts, arriving, settled, until)


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


def test_time_does_not_go_back_when_a_copy_puts_the_latest_entry_earlier(kept: bool) -> None:
    bus = Bus(ruled({"if": ALWAYS, "expires": "12h"}), kept=kept)
    bus.arrive("c", arrived(campaign(START)), START)
    ahead, earlier = visit(START + 30 * HOUR, 1), visit(START + 10 * HOUR, 1)
    bus.arrive("c", arrived(ahead), START)
    bus.arrive("c", replace(arrived(earlier), time=ahead.at), START)
    assert [START + 10 * HOUR] == [one.at for one in bus.memory.since("c", START + 1)]
    bus.arrive("c", arrived(campaign(START + 13 * HOUR, 2)), START)
    assert ["fired", "expired", "expired"] == [said.state for _, said in bus.said]


def test_matches_of_one_key_may_be_resolved_by_different_entries(kept: bool) -> None:
    """The second is suppressed by the first, and is resolved while the third stands."""
    resolves = {"all": [{"seen": VISIT}, {"closed": "case", "within": "10m"}]}
    bus = Bus(ruled({"if": ALWAYS, "resolves": resolves, "expires": "9d", "cooldown": "3h"}), kept=kept)
    half = HOUR // 2
    tell(bus, campaign(START + 2 * half, 1), visit(START + 3 * half, 2), case(START + 3 * half, 3))
    tell(bus, case(START + 4 * half, 4, DONE), campaign(START + 6 * half, 5), visit(START + 9 * half, 6))
    tell(bus, campaign(START + 10 * half, 7), case(START + 11 * half, 8), case(START + 12 * half, 9, DONE))
    tell(bus, visit(START + half, 10))
    assert ["fired", "resolved", "fired"] == [said.state for _, said in bus.said]


def test_whoever_left_has_no_open_matters_whatever_was_told_of_them_last() -> None:
    bus = Bus()
    bus.arrive("b", arrived(complaint(START)), START)
    bus.change_rules(ruled({"if": ALWAYS}))
    assert 1 == bus.customer("b").open_matters(bus.rules)[1]
    customer = bus.customer("b")
    step(customer, Merge("c", 3), bus.rules, bus.memory, START + DAY)
    assert ((), 0) == customer.open_matters(bus.rules)


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


# --- changed rules, copies, refusals ---------------------------------------------------------------------------------


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


# --- clocks ----------------------------------------------------------------------------------------------------------


def test_what_is_settled_after_400_days_is_not_told_any_more_and_still_compared(kept: bool) -> None:
    """The alert has no end. A late event is judged when all of it is settled by the journal's clock."""
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


# --- what is said, and what is kept of it ----------------------------------------------------------------------------


def test_evidence_by_reference_is_found_among_what_came_just_now(kept: bool) -> None:
    bus = Bus(kept=kept)
    both = [complaint(START), campaign(START + HOUR)]
    bus.arrive("c", Moved("b/3", 1, tuple(map(arrived, both))), START + 2 * HOUR)
    ((_, said),) = bus.said
    assert ["1", "100"] == [one["id"] for one in said.evidence]
    assert "S1" in said.reason


def test_evidence_by_reference_is_told_at_the_instant_at_which_it_stood(kept: bool) -> None:
    rules = ruled({"if": {"unanswered": "contact", "at_least": 2, "within": "1h"}, "key": "campaignId"})
    bus = Bus(rules, kept=kept)
    first = call(START + HOUR, 1)
    tell(bus, first, campaign(START + 2 * HOUR - 1, 2))
    bus.arrive("c", ahead(first, START), START + 3 * HOUR)
    fired, retracted = (said for _, said in bus.said)
    assert ("fired", "retracted") == (fired.state, retracted.state)
    assert fired.evidence == retracted.evidence


def test_evidence_by_reference_is_told_before_a_merge_ships_it(kept: bool) -> None:
    bus = Bus(kept=kept)
    for one in (complaint(START), campaign(START + HOUR)):
        bus.arrive("b", arrived(one), one.at)
    leave(bus, "c", START + DAY)
    fired, retracted = (said for _, said in bus.said)
    assert ("retracted", fired.reason, fired.evidence) == (retracted.state, retracted.reason, retracted.evidence)


def test_evidence_of_an_ended_alert_is_looked_for_again_as_of_its_own_instant(kept: bool) -> None:
    bus = Bus(kept=kept)
    tell(bus, complaint(START), campaign(START + HOUR), case(START + 2 * HOUR, 2, DONE))
    tell(bus, visit(START + 8 * DAY, 3), case(START + 8 * DAY + 1, 4, DONE, "K9"))
    late = complaint(START + 50 * HOUR, 6)
    before = len(bus.said)
    assert ["updated S1"] == tell(bus, late, clock=START + 9 * DAY)
    assert ["1", "100"] == [one["id"] for one in bus.said[before][1].evidence]


def test_of_an_alert_that_ended_no_evidence_is_kept(kept: bool) -> None:
    bus = Bus(kept=kept)
    tell(bus, complaint(START), campaign(START + HOUR), case(START + 2 * HOUR, 2, DONE))
    tell(bus, visit(START + 4 * DAY, 3))
    tell(bus, case(START + 4 * DAY + 1, 4, name="K2", category="question"), visit(START + 4 * DAY + 2, 5))
    (alert,) = bus.customer("c").alerts
    assert (False, None) == (alert.standing, alert.evidence)


def test_a_document_is_the_same_to_a_byte_in_whichever_order_its_alerts_were_found(kept: bool) -> None:
    documents = []
    for order in ((0, 1), (1, 0)):
        bus = Bus(kept=kept)
        both = campaign(START + HOUR, 100, "S1"), campaign(START + 2 * HOUR, 101, "S2")
        tell(bus, complaint(START), *(both[index] for index in order), clock=START + 3 * HOUR)
        documents.append(bus.documents["c"])
    assert documents[0] == documents[1]
