"""Entries and alerts, as the bus and its peers write them."""

from __future__ import annotations

import orjson

from benchmarks.outcome import Timeline, alert_of, entry_of
from core.timeline.entry import event_uid
from schemas.topics import TIMELINE, alerts_topic
from tests.unit.agents.bench import Journal, event

EVENT = {"source": "/s", "id": "1", "type": "t"}
UID = event_uid("/s", "1")


def test_a_peers_entry_is_the_value_itself() -> None:
    assert (UID, False) == entry_of({"customerId": "C-1", "uid": UID, "late": False, "event": EVENT})
    assert (UID, True) == entry_of({"customerId": "C-1", "uid": UID, "late": True, "event": EVENT})


def test_a_profile_in_the_same_store_is_no_entry() -> None:
    assert entry_of({"customerId": "C-1", "entries": 3, "open": []}) is None
    assert entry_of({"data": {"customerId": "C-1"}}) is None


def test_the_bus_writes_entries_and_alerts_that_are_understood(journal: Journal) -> None:
    case = {"caseId": "K", "category": "complaint", "priority": "high"}
    journal.publish("c_1", event("service.case.opened.v1", "2026-11-01T09:00:00Z", **case))
    campaign = event("marketing.campaign.sent.v1", "2026-11-01T10:00:00Z", campaignId="S1", channel="email")
    journal.publish("c_1", campaign, "marketing")
    entries = [entry_of(one) for one in journal.messages(TIMELINE)]
    assert [("/test", "service.case.opened.v1-0"), ("/test", "marketing.campaign.sent.v1-0")] == [
        (one["data"]["event"]["source"], one["data"]["event"]["id"]) for one in journal.messages(TIMELINE)
    ]
    assert (event_uid("/test", "service.case.opened.v1-0"), False) == entries[0]
    (alert,) = journal.messages(alerts_topic("marketing"))
    rule, name, key = alert_of(alert)
    assert ("campaign-during-complaint", "S1") == (rule, key)
    assert f"c_1/{alert['data']['alertId']}" == name


def test_a_peers_alert_is_the_value_itself() -> None:
    value = orjson.loads(b'{"id":"a_1","customerId":"C-1","rule":"contact-fatigue","key":"","time":"x","reason":"y"}')
    assert ("contact-fatigue", "C-1/a_1", "") == alert_of(value)
    assert ("contact-fatigue", "C-1/a_1", "") == alert_of({**value, "key": None})


def test_a_timeline_is_exact_when_nothing_is_missing_and_nothing_strange_there() -> None:
    assert Timeline(10, 0, 0, 3, 0, 0.0).exact
    assert not Timeline(10, 1, 0, 0, 0, 0.0).exact
    assert not Timeline(10, 0, 1, 0, 0, 0.0).exact
