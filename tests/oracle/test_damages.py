"""A judge who never objects is none: each kind of damage to a faultless log is found, and named where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from engine.kafka.record import Record

from .bus import KEY, REGION, Bus
from .comparison import differences
from .entry import D, H
from .oracle import Oracle
from .test_merges import Company
from .topics import DEAD, IDENTITIES, JOURNAL, LINKS, PROFILES, TIMELINE, Topics, header

Records = list[Record]


@pytest.fixture(scope="module")
def faultless() -> Iterator[Records]:
    """Alerts that fired, ended and were retracted, a merge, a reused id and an event of nobody."""
    with Bus(1) as bus:
        company = Company(bus)
        company.complaint("A")
        company.publish("service.case.resolved.v1", "A", caseId="K-A")
        for number in range(3):
            company.publish(
                "sales.call.completed.v1", "B", callId=f"L{number}", direction="outbound", outcome="no_answer"
            )
        bus.finish()
        company.publish("service.conversation.ended.v1", "B", late=2 * H + 1, conversationId="CV", channel="phone")
        company.complaint("B")
        bus.clock += 5 * D // 1000
        company.page("A")
        company.page("A", "B")
        company.page("guest")
        taken = bus.pipeline.records("cx.web.events.v1")[0]
        bus.publish("web", taken.value.replace(b"example.com/", b"example.com/other"), bus.clock * 1000)
        bus.finish()
        yield [record for log in bus.pipeline.logs.values() for record in log]


def found(records: Records) -> list[str]:
    """Where the oracle objects."""
    topics = Topics(records)
    return sorted({where.split(",")[0] for where, _ in differences(topics, Oracle(topics, KEY, REGION))})


def test_a_faultless_log_has_no_differences(faultless: Records) -> None:
    assert [] == found(faultless)


def state(record: Record) -> str:
    """Of a message about an alert."""
    return str(orjson.loads(record.value)["data"].get("state")) if record.topic.startswith("cx.alerts.") else ""


def changed(record: Record, **fields: Any) -> Record:
    """Its data with other values."""
    value = orjson.loads(record.value)
    value["data"] |= fields
    return replace(record, value=orjson.dumps(value))


def one(records: Records, wanted: Callable[[Record], bool]) -> Record:
    """The last record of a kind."""
    return [record for record in records if record.value is not None and wanted(record)][-1]


def a_profile(records: Records) -> Record:
    """The last one of somebody who was not merged away."""
    profiles = [record for record in records if record.topic == PROFILES]
    gone = {record.key for record in profiles if b"mergedInto" in record.value}
    return one(profiles, lambda record: record.key not in gone)


def instead(records: Records, old: Record, *new: Record) -> Records:
    """The log with another record, or none, or several, in its place."""
    return [kept for record in records for kept in (new if record is old else (record,))]


def an_end_changed(log: Records) -> Records:
    alert = one(log, lambda r: state(r) == "resolved")
    return instead(log, alert, changed(alert, endedAt="2026-03-03T00:00:00Z"))


def an_alert_without_its_evidence(log: Records) -> Records:
    alert = one(log, lambda r: state(r) == "fired")
    return instead(log, alert, changed(alert, evidence=orjson.loads(alert.value)["data"]["evidence"][1:]))


def an_alert_called_historical(log: Records) -> Records:
    alert = one(log, lambda r: state(r) == "fired")
    return instead(log, alert, changed(alert, historical=True))


def a_retraction_missing(log: Records) -> Records:
    return instead(log, one(log, lambda r: state(r) == "retracted"))


def an_alert_told_twice(log: Records) -> Records:
    alert = one(log, lambda r: state(r) == "fired")
    return instead(log, alert, alert, alert)


def an_entry_missing(log: Records) -> Records:
    return instead(log, one(log, lambda r: r.topic == TIMELINE))


def an_entry_at_another_instant(log: Records) -> Records:
    entry = one(log, lambda r: r.topic == TIMELINE)
    return instead(log, entry, changed(entry, at=orjson.loads(entry.value)["data"]["at"] + 1))


def an_entry_of_a_customer_who_left(log: Records) -> Records:
    return instead(log, next(r for r in log if r.topic == TIMELINE and r.value is None))


def a_wrong_owner(log: Records) -> Records:
    merged = one(log, lambda r: r.topic == IDENTITIES and b"mergedInto" in r.value)
    stranger = merged.key.removeprefix(b"c/")
    node = one(log, lambda r: r.topic == IDENTITIES and r.key.startswith(b"i/") and stranger not in r.value)
    value = {**orjson.loads(node.value), "id": stranger.decode()}
    return instead(log, node, replace(node, value=orjson.dumps(value)))


def a_merge_forgotten(log: Records) -> Records:
    return instead(log, one(log, lambda r: r.topic == IDENTITIES and b"mergedInto" in r.value))


def an_event_with_another_s_nodes(log: Records) -> Records:
    first = next(r for r in log if r.topic == LINKS)
    others = one(log, lambda r: r.topic == LINKS and dict(r.headers)["nodes"] != dict(first.headers)["nodes"])
    nodes = ("nodes", dict(others.headers)["nodes"])
    return instead(log, first, replace(first, headers=(*(h for h in first.headers if h[0] != "nodes"), nodes)))


def a_profile_that_counts_one_too_many(log: Records) -> Records:
    profile = a_profile(log)
    return instead(log, profile, changed(profile, entries=orjson.loads(profile.value)["data"]["entries"] + 1))


def a_profile_where_nothing_is_open(log: Records) -> Records:
    profile = a_profile(log)
    return instead(log, profile, changed(profile, open=[], openCount=0))


def an_unmasked_identifier(log: Records) -> Records:
    profile = a_profile(log)
    return instead(log, profile, changed(profile, identifiers=[{"type": "customer_no", "value": "A"}]))


def a_dead_letter_missing(log: Records) -> Records:
    return instead(log, one(log, lambda r: r.topic == DEAD and dict(r.headers)["__cxbus.errors.stage"] == b"journey"))


def a_letter_of_intake_missing(log: Records) -> Records:
    return [r for r in log if r.topic != DEAD or dict(r.headers)["__cxbus.errors.stage"] != b"intake"]


def a_part_of_a_move_lost(log: Records) -> Records:
    return instead(log, one(log, lambda r: r.topic == JOURNAL and ("kind", b"moved") in r.headers))


def a_move_that_brings_no_time(log: Records) -> Records:
    part = one(log, lambda r: r.topic == JOURNAL and ("kind", b"moved") in r.headers)
    return instead(log, part, replace(part, value=orjson.dumps({**orjson.loads(part.value), "until": -1})))


def a_part_of_a_move_for_a_stranger(log: Records) -> Records:
    part = one(log, lambda r: r.topic == JOURNAL and ("kind", b"moved") in r.headers)
    return [*log, replace(part, key=b"c_stranger", offset=part.offset + 1000)]


def an_event_lost_on_its_way(log: Records) -> Records:
    page = one(log, lambda r: r.topic == JOURNAL and b"web.page" in r.value and header(r, "kind") == "event")
    place = header(page, "origin")
    on_its_way = (r for r in log if r.topic in (JOURNAL, LINKS) and "event" in dict(r.headers))
    lost = [r for r in on_its_way if header(r, "origin") == place]
    return [r for r in log if r not in lost]


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        (an_end_changed, "alerts of"),
        (an_alert_without_its_evidence, "alerts of"),
        (an_alert_called_historical, "alerts of"),
        (a_retraction_missing, "alerts of"),
        (an_alert_told_twice, "alerts of"),
        (an_entry_missing, TIMELINE),
        (an_entry_at_another_instant, TIMELINE),
        (an_entry_of_a_customer_who_left, TIMELINE),
        (a_wrong_owner, IDENTITIES),
        (a_merge_forgotten, IDENTITIES),
        (an_event_with_another_s_nodes, LINKS),
        (a_profile_that_counts_one_too_many, PROFILES),
        (a_profile_where_nothing_is_open, PROFILES),
        (an_unmasked_identifier, PROFILES),
        (a_dead_letter_missing, DEAD),
        (a_letter_of_intake_missing, DEAD),
        (a_part_of_a_move_lost, JOURNAL),
        (a_move_that_brings_no_time, JOURNAL),
        (a_part_of_a_move_for_a_stranger, JOURNAL),
        (an_event_lost_on_its_way, JOURNAL),
    ],
)
def test_damage_is_found_where_it_is(damage: Callable[[Records], Records], where: str, faultless: Records) -> None:
    assert any(one.startswith(where) for one in found(damage(faultless)))
