"""Notification: whatever the order of arrival, the step says record by record what the oracle says. Without stores and
messages between, so that many more worlds are tried than on the whole bus.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.rules.ruleset import RuleSet

from .arrivals import PEOPLE, Journals, answer, arrivals
from .both import Both
from .entry import D, Entry, H, uid_of
from .limits import forget, leave_out, limit
from .rules import Rules
from .section_four import SECTION_FOUR
from .tally import compared
from .worlds import EXAMPLES, RULES, SAME_WORLDS, START, a_busy_quarter, a_past_of_long_ago, histories


@given(histories(), st.integers(0, 2**32))
@settings(max_examples=4 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_every_record_says_what_the_oracle_says(history: list[Entry], seed: int) -> None:
    hear_in_some_order(history, random.Random(seed))


@pytest.mark.faults
@given(histories(), st.integers(0, 2**32))
@settings(max_examples=4 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_whatever_is_no_longer_held_every_record_says_what_the_oracle_says(history: list[Entry], seed: int) -> None:
    chance = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        forget(patch, chance)
        leave_out(patch, chance)
        hear_in_some_order(history, chance)


def hear_in_some_order(
    history: list[Entry], chance: random.Random, rules: RuleSet = RULES, meaning: Rules = SECTION_FOUR
) -> Both:
    """With copies, late, ahead of the broker, about people of whom some turn out to be one; both must have written and
    said, and must remember, the same.
    """
    people = PEOPLE[: chance.choice([1, 1, 2, 3, 4])]
    last = max(e.at for e in history)
    answers = [answer(last - chance.randrange(2 * D), number) for number in range(chance.choice([0, 0, 0, 2]))]
    both, heard = Both(rules, meaning), arrivals([*history, *answers], people, chance)
    Journals(both, people, chance).hear(heard)
    both.compare_what_is_known()
    earliest: dict[str, int] = {}
    for one in heard:
        at = min(one.entry.at, one.received)
        earliest[one.entry.uid] = min(at, earliest.get(one.entry.uid, at))
    stands = [(uid, came.entry.at) for customer in both.customers.values() for uid, came in customer.arrivals.items()]
    assert sorted(earliest.items()) == sorted(stands), "each once, and where its earliest copy puts it"
    compared("of one to four people, record by record", both.records)
    return both


@given(st.integers(0, 2**32))
@settings(max_examples=4 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_what_was_decided_long_ago_is_as_it_was_whatever_asks_for_it(seed: int) -> None:
    chance = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        if chance.random() < 0.5:
            forget(patch, chance)
            leave_out(patch, chance)
        hear_in_some_order(a_past_of_long_ago(chance), chance)


@pytest.mark.faults
@given(st.integers(0, 2**32))
@settings(max_examples=2 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_at_the_limits_of_what_is_remembered_every_record_says_what_the_oracle_says(seed: int) -> None:
    chance = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        limit(patch, chance)
        forget(patch, chance)
        leave_out(patch, chance)
        hear_in_some_order(a_busy_quarter(chance), chance)


# --- what random worlds meet too seldom ------------------------------------------------------------------------------


def made(at: int, kind: str, **data: Any) -> Entry:
    """An entry so long after the start."""
    number = f"{at}-{kind}-{data}"
    return Entry(START + at, uid_of("w", number), kind, "w", number, data)


def call(at: int, number: int = 0) -> Entry:
    """An outbound call that nobody answers."""
    return made(at, "sales.call.completed.v1", callId=f"L{number}", direction="outbound", outcome="no_answer")


def page(at: int) -> Entry:
    """Something engaged."""
    return made(at, "web.page.viewed.v1", url="u")


def live(*entries: Entry) -> list[str]:
    """All that is said when they are heard as they happen."""
    both = Both()
    for e in entries:
        both.hear(e, e.at)
    return both.states


OFF = pytest.mark.parametrize("off", [-1, 0, 1])


@OFF
def test_48_hours_after_a_case_was_closed(off: int) -> None:
    solved = made(0, "service.case.resolved.v1", caseId="K1")
    rated = made(48 * H + off, "service.feedback.submitted.v1", metric="nps", value=10, caseId="K1")
    assert (["fired"] if off < 0 else []) == live(solved, rated)


@OFF
def test_72_hours_after_a_complaint_was_closed(off: int) -> None:
    opened = made(0, "service.case.opened.v1", caseId="K1", category="complaint", priority="high")
    solved = made(H, "service.case.resolved.v1", caseId="K1")
    sent = made(73 * H + off, "marketing.campaign.sent.v1", campaignId="S1", channel="email")
    assert (["fired"] if off < 0 else []) == live(opened, solved, sent)


@OFF
def test_the_cooldown_after_an_alert_that_ended(off: int) -> None:
    calls = [call(7 * D + off, number) for number in range(4, 7)]
    said = live(*(call(0, number) for number in range(3)), page(H), *calls)
    assert (["fired", "resolved"] if off < 0 else ["fired", "resolved", "fired"]) == said


@OFF
def test_a_day_until_an_alert_is_historical(off: int) -> None:
    both = Both()
    both.hear(made(0, "service.case.opened.v1", caseId="K1", category="billing", priority="high"), START)
    both.hear(made(H, "finance.dunning.sent.v1", invoiceId="I1", level=1), START + H + D + off)
    assert [off > 0] == [alert.historical for alert in both.customers["c"].notified.alerts]


def test_a_count_names_the_latest_twenty() -> None:
    both = Both()
    for number in range(25, 0, -1):  # latest first, so that the first alert rests on more and more
        both.hear(call(number * H, number), START + 2 * D)
    assert [20] == [len(alert.match.evidence) for alert in both.customers["c"].notified.alerts]


def test_a_retraction_lets_what_it_had_suppressed_speak_as_far_back_as_the_cooldown() -> None:
    both = Both()
    clock = START + 9 * D
    for number, at in enumerate((6 * D, 6 * D + H, 6 * D + 2 * H, 0, H, 2 * H)):
        both.hear(call(at, number), clock)
    both.hear(page(6 * D + H), clock)
    assert ["fired", "updated", "updated", "retracted", "resolved"] == both.states


def test_a_match_that_is_resolved_when_it_fires_ends_a_microsecond_later() -> None:
    money = {"invoiceId": "I1", "total": "10.00", "currency": "EUR"}
    paid = [
        made(0, "service.case.opened.v1", caseId="K1", category="billing", priority="high"),
        made(H, "finance.invoice.issued.v1", dueDate="2026-03-09", **money),
        made(2 * H, "finance.payment.received.v1", paymentId="P1", **money),
    ]
    reminded = made(3 * H, "finance.dunning.sent.v1", invoiceId="I1", level=1)
    assert ["fired", "resolved"] == live(*paid, reminded, page(3 * H + 1))


def test_an_invoice_that_was_paid_long_ago_is_not_overdue_whatever_is_said_of_it() -> None:
    money = {"invoiceId": "I1", "total": "10.00", "currency": "EUR"}
    said = live(
        made(0, "finance.invoice.issued.v1", dueDate="2026-03-01", **money),
        made(H, "finance.payment.received.v1", paymentId="P1", **money),
        made(9 * D, "finance.invoice.overdue.v1", dueDate="2026-03-01", daysOverdue=9, **money),
        made(9 * D + H, "service.case.resolved.v1", caseId="K1"),
        made(9 * D + 2 * H, "service.feedback.submitted.v1", metric="nps", value=10),
    )
    assert ["fired"] == said


# --- the three clocks ------------------------------------------------------------------------------------------------


def in_a_dispute(both: Both, name: str = "c") -> None:
    """A dunning letter an hour after the start, which is over after 14 days."""
    both.hear(made(0, "service.case.opened.v1", caseId="K1", category="billing", priority="high"), START, name=name)
    both.hear(made(H, "finance.dunning.sent.v1", invoiceId="I1", level=1), START + H, name=name)


def test_an_end_has_come_when_something_happened_after_it_though_the_journal_s_broker_lags_behind() -> None:
    both = Both()
    in_a_dispute(both)
    both.hear(page(14 * D + H - 1), START + 2 * H, received=START + 15 * D)
    assert ["fired"] == both.states
    both.hear(page(14 * D + H), START + 2 * H, received=START + 15 * D)
    assert ["fired", "expired"] == both.states


def test_a_note_moves_no_customer_s_now() -> None:
    both = Both()
    in_a_dispute(both)
    both.hear(answer(START + 15 * D, 1), START + 2 * H, received=START + 15 * D)
    both.hear(page(2 * H), START + 2 * H)
    assert ["fired"] == both.states


def test_a_move_brings_along_how_far_time_had_come_for_who_left() -> None:
    both = Both()
    in_a_dispute(both, name="a")
    both.hear(page(2 * H), START + 20 * D, name="b")
    (part,) = both.merge("b", "a", 1, START + 20 * D, 500)
    both.take_in("a", part, START + 3 * H)
    assert ["fired", "expired"] == both.states


def test_what_is_historical_is_a_matter_of_the_journal_s_clock_alone() -> None:
    both = Both()
    both.hear(page(10 * D), START, received=START + 10 * D)
    in_a_dispute(both)
    assert [False] == [alert.historical for alert in both.customers["c"].notified.alerts]


def test_a_retraction_names_each_entry_at_the_instant_at_which_it_stood() -> None:
    both = Both()
    first = call(25 * H, 1)
    for one in (first, call(30 * H, 2), call(40 * H, 3)):
        both.hear(one, one.at)
    both.hear(first, START + 41 * H, received=START)  # the broker had had a copy of it long before
    assert ["fired", "retracted"] == both.states


def test_a_retraction_names_what_has_moved_while_parts_of_a_move_were_on_their_way() -> None:
    both = Both()
    first = call(25 * H, 1)
    for one in (first, call(30 * H, 2), call(40 * H, 3)):
        both.hear(one, one.at, name="a")
    both.hear(first, START + 41 * H, name="b", received=START)
    both.hear(made(2 * H, "marketing.email.opened.v1", messageId="m"), START + 41 * H, name="b")
    for part in both.merge("b", "a", 1, START + 42 * H, 1):
        both.take_in("a", part, START + 42 * H)
    assert ["fired", "retracted"] == both.states
