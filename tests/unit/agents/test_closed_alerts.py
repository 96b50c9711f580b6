"""Closed alerts on their topic and in the local store: a worker that starts with nothing knows them, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import stored_alert
from agents.keys import key_of_ours
from engine.transactional.transaction import Output
from schemas.topics import NOTIFIED, alerts_topic, partition_of
from tests.unit.core.bench import ruled

from .bench import Journal, event, record

RULES = ruled({"if": {"none": [{"seen": "web.page.viewed.v1", "within": "30m"}]}, "expires": "1h"})
PLACE = partition_of("c", 4)


def sent(day: int) -> bytes:
    return event("marketing.campaign.sent.v1", f"2026-11-{day:02}T09:00:00Z", day, campaignId="S", channel="email")


def late(day: int) -> bytes:
    return event("web.page.viewed.v1", f"2026-11-{day:02}T08:50:00Z", day, url="u")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "first", RULES)
    for day in range(2, 8):
        journal.publish("c", sent(day), "marketing")
    yield journal
    journal.close()


def closed(journal: Journal) -> list[int]:
    """Days of what the store has, which is what the topic has."""
    latest = {one.key: one.value for one in journal.logs[NOTIFIED, PLACE]}
    alerts = [stored_alert.alert(value) for value in latest.values() if value is not None]
    assert sorted(alerts) == sorted(journal.journey(PLACE)._archive.archived("c"))
    return sorted(alert.time // 86_400_000_000 for alert in alerts)


def days(outputs: list[Output]) -> list[tuple[str, bool]]:
    return [(one.topic, one.value is None) for one in outputs if one.topic in (NOTIFIED, alerts_topic("sales"))]


def test_a_worker_that_has_lost_its_store_gets_them_back_and_takes_one_back(journal: Journal, tmp_path: Path) -> None:
    assert 5 == len(closed(journal))
    other = journal.restored(tmp_path / "second")
    assert closed(journal) == closed(other)
    try:
        first, second = journal.publish("c", late(4), "web"), other.publish("c", late(4), "web")
    finally:
        remaining = closed(other)
        other.close()
    assert first == second
    assert [(alerts_topic("sales"), False), (NOTIFIED, True)] == days(first)
    assert closed(journal) == remaining
    again = journal.restored(tmp_path / "third")
    assert remaining == closed(again)
    again.close()


def test_what_is_no_notified_alert_is_passed_over_by_a_restore(journal: Journal) -> None:
    junk = [record(NOTIFIED, PLACE, 90, b"{}", b"c/a_1"), record(NOTIFIED, PLACE, 91, b"\x90", b"nobody")]
    before = closed(journal)
    assert junk == journal.journey(PLACE).restore(junk)
    assert before == closed(journal)


def test_its_keys_are_known_as_the_buss_own(journal: Journal) -> None:
    customer = "c_0123456789abcdef0123456789"
    assert key_of_ours(NOTIFIED, f"{customer}/a_0123456789abcdef0123456789".encode())
    assert key_of_ours(NOTIFIED, customer.encode()) is None
    assert all(one.key.startswith(b"c/a_") for one in journal.logs[NOTIFIED, PLACE])
