"""The edges of windows and amounts, one microsecond or cent beside each other: random worlds meet them too rarely."""

from __future__ import annotations

from typing import Any

import pytest

from core.alerts.history import matches
from core.timeline.entry import DAY, HOUR, Entry

from .bench import RULES, START, entry


def found(*events: tuple[int, str, dict[str, Any]]) -> list[tuple[str, int, int | None]]:
    """Rule, time and end of each match, in µs after the start."""
    entries: list[Entry] = [entry(START + at, kind, data, number) for number, (at, kind, data) in enumerate(events)]
    watches = [match.match_end for match in matches(entries, RULES)]
    return [(w.rule.name, w.time - START, None if w.end is None else w.end - START) for w in watches]


CALL = ("sales.call.completed.v1", {"direction": "outbound", "outcome": "no_answer"})
REPLY = ("service.conversation.ended.v1", {"direction": "inbound"})
FATIGUE = ("contact-fatigue", 24 * HOUR, 24 * HOUR + 7 * DAY)


@pytest.mark.parametrize(("first", "expected"), [(0, []), (1, [FATIGUE])])
def test_a_contact_just_as_old_as_the_window_is_no_longer_in_it(
    first: int, expected: list[tuple[str, int, int]]
) -> None:
    assert expected == found((first, *CALL), (12 * HOUR, *CALL), (24 * HOUR, *CALL))


@pytest.mark.parametrize(("reply", "expected"), [(1, []), (0, [FATIGUE])])
def test_a_reply_in_the_instant_of_a_contact_answers_it(reply: int, expected: list[tuple[str, int, int]]) -> None:
    assert expected == found((1, *CALL), (reply, *REPLY), (12 * HOUR, *CALL), (24 * HOUR, *CALL))


@pytest.mark.parametrize(("machine", "expected"), [({}, []), ({"machine": False}, []), ({"machine": True}, [FATIGUE])])
def test_a_click_answers_unless_a_machine_made_it(
    machine: dict[str, bool], expected: list[tuple[str, int, int]]
) -> None:
    click = ("marketing.email.clicked.v1", {"url": "/"} | machine)
    assert expected == found((1, *CALL), (2, *click), (12 * HOUR, *CALL), (24 * HOUR, *CALL))


OPENED = ("service.case.opened.v1", {"caseId": "K1", "category": "complaint"})
RESOLVED = ("service.case.resolved.v1", {"caseId": "K1"})
CAMPAIGN = ("marketing.campaign.sent.v1", {"campaignId": "S1", "channel": "email"})


@pytest.mark.parametrize("later", [-1, 0])
def test_three_days_after_a_complaint_end_with_the_last_instant_of_the_third(later: int) -> None:
    sent = 1 + 72 * HOUR + later
    expected = [("campaign-during-complaint", sent, 1 + 72 * HOUR)] if later < 0 else []
    assert expected == found((0, *OPENED), (1, *RESOLVED), (sent, *CAMPAIGN))


@pytest.mark.parametrize("opened", [5, 6])
def test_a_case_opened_and_resolved_in_one_instant_is_closed(opened: int) -> None:
    resolved = [("campaign-during-complaint", 7, 5 + 72 * HOUR)]
    still_open = [("campaign-during-complaint", 7, 7 + 14 * DAY)]
    expected = resolved if opened == 5 else still_open
    assert expected == found((0, *OPENED), (5, *RESOLVED), (opened, *OPENED), (7, *CAMPAIGN))


INVOICE = {"invoiceId": "I1", "currency": "EUR"}
ISSUED = ("finance.invoice.issued.v1", INVOICE | {"total": "10.00", "dueDate": "2026-03-09"})
QUESTION = ("service.case.opened.v1", {"caseId": "K2", "category": "billing"})
DUNNING = ("finance.dunning.sent.v1", {"invoiceId": "I1", "level": 1})


@pytest.mark.parametrize(("second", "end"), [("5.99", 3 + 14 * DAY), ("6.00", 5), ("6.01", 5)])
def test_an_invoice_is_closed_by_the_payment_that_reaches_its_total(second: str, end: int) -> None:
    paid = [
        (at, "finance.payment.received.v1", INVOICE | {"paymentId": f"P{at}", "total": total})
        for at, total in ((4, "4.00"), (5, second))
    ]
    assert [("dunning-during-dispute", 3, end)] == found((0, *ISSUED), (1, *QUESTION), (3, *DUNNING), *paid)
