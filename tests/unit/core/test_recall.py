"""What a naive way of folding again gets wrong, case by case: what is not kept and is looked up in the history.

Each test fails with a bug of the same case planted.
"""

from __future__ import annotations

import pytest

from core.customer.step import Moved
from core.timeline.entry import DAY, HOUR

from .bench import (
    ALWAYS,
    DONE,
    ESCALATED,
    RULES,
    START,
    TALK,
    VISIT,
    Bus,
    arrived,
    call,
    campaign,
    case,
    complaint,
    ends,
    entry,
    ruled,
    talk,
    tell,
    visit,
)

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


# --- what is said, and what is kept of it ----------------------------------------------------------------------------


def test_evidence_by_reference_is_found_among_what_came_just_now(kept: bool) -> None:
    bus = Bus(kept=kept)
    both = [complaint(START), campaign(START + HOUR)]
    bus.arrive("c", Moved("b/3", 1, tuple(map(arrived, both))), START + 2 * HOUR)
    ((_, said),) = bus.said
    assert ["1", "100"] == [one["id"] for one in said.evidence]
    assert "S1" in said.reason


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
