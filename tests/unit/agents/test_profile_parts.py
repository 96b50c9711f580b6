"""Parts of profiles that are kept: never out of date, and gone with the customer."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.documents import Documents
from agents.profile_parts import ProfileParts
from core.timeline.entry import HOUR
from tests.unit.core.bench import RULES, START, Bus, arrived, campaign, complaint, entry

from .bench import Journal, event


def told(parts: ProfileParts, bus: Bus) -> tuple[bytes, bytes, bytes]:
    """As JSON."""
    customer = bus.customer("c")
    return parts.brief(customer), parts.identifiers(customer), parts.last_contact(customer)


def test_after_every_event_they_say_what_is_said_without_them() -> None:
    bus, parts = Bus(kept=True), ProfileParts(RULES)
    for one in (
        complaint(START),
        campaign(START + HOUR),
        entry(START + 2 * HOUR, "web.page.viewed.v1", {"url": "u"}, 3),
        entry(START + 3 * HOUR, "finance.invoice.issued.v1", {"invoiceId": "I", "total": "1.00", "currency": "EUR"}, 4),
        entry(START + 4 * HOUR, "service.case.resolved.v1", {"caseId": "K1"}, 5),
        complaint(START - HOUR, 6),
    ):
        bus.arrive("c", arrived(one), one.at)
        assert told(ProfileParts(RULES), bus) == told(parts, bus)


def test_what_is_unchanged_is_not_made_again() -> None:
    bus, parts = Bus(kept=True), ProfileParts(RULES)
    bus.arrive("c", arrived(complaint(START)), START)
    bus.arrive("c", arrived(campaign(START + 1)), START + 1)
    before = parts.brief(bus.customer("c")), parts.last_contact(bus.customer("c"))
    bus.arrive("c", arrived(entry(START + 2, "web.page.viewed.v1", {"url": "u"}, 3)), START + 2)
    after = parts.brief(bus.customer("c")), parts.last_contact(bus.customer("c"))
    assert all(one is other for one, other in zip(before, after, strict=True))
    parts.forget("c")
    assert before[0] is not parts.brief(bus.customer("c"))


def test_nothing_is_kept_of_whom_the_journey_does_not_know_by_heart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(Documents, "forget", lambda _, customer: forgotten.append(customer))
    monkeypatch.setattr("agents.journey.BYTES", 4_000)
    journal = Journal(tmp_path)
    for number in range(12):
        journal.publish(f"c_{number}", event("web.page.viewed.v1", "2026-11-17T09:00:00Z", url="u"), "web")
    journal.close()
    assert 3 < len(forgotten) < 12
