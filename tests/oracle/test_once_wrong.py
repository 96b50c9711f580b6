"""Where the bus once did not do what docs/semantics.md says: the smallest example of each."""

from __future__ import annotations

import pytest

from agents import moves

from .bus import Bus
from .comparison import differences
from .test_merges import SEEDS, Company


def disagreements(bus: Bus) -> list[str]:
    """What is said of the log, when the bus has come to rest."""
    bus.finish()
    return [what for _, what in differences(bus.topics(), bus.oracle())]


def test_the_category_of_a_case_is_that_of_its_latest_opening() -> None:
    with Bus(0) as bus:
        company = Company(bus)
        company.publish("service.case.resolved.v1", "A", caseId="K", category="complaint")
        company.publish("marketing.campaign.sent.v1", "A", campaignId="S", channel="email")
        assert [] == disagreements(bus)


def test_an_invoice_is_closed_once_payments_reach_its_total_which_may_be_nothing() -> None:
    with Bus(0) as bus:
        company = Company(bus)
        company.publish(
            "finance.invoice.issued.v1", "A", invoiceId="I", total="0.00", currency="EUR", dueDate="2026-03-01"
        )
        assert [] == disagreements(bus)


def test_an_opportunity_is_open_unless_its_latest_stage_is_won_or_lost() -> None:
    with Bus(0) as bus:
        company = Company(bus)
        company.publish("sales.opportunity.created.v1", "A", opportunityId="O", stage="won")
        assert [] == disagreements(bus)


def test_a_retraction_concerns_a_pair_that_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two customers move into a third, who is merged away himself when one has arrived and the other has not."""
    monkeypatch.setattr(moves, "MOVE_ENTRIES", 1)
    for seed in range(SEEDS):
        with Bus(seed) as bus:
            company = Company(bus)
            for person in ("C", "B", "A", "Z"):
                company.complaint(person)
            company.page("A", "B")
            company.page("Z", "B")
            company.page("B", "C")
            assert [] == disagreements(bus), seed
