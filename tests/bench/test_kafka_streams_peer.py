"""The Kafka Streams peer does the bus's work: each event once, profiles that fit, the alerts that the rules give."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from agents.rule_files import BUILT_IN, load
from agents.topic_admin import apply
from agents.vocabulary import vocabulary
from benchmarks.peers import kafka_streams
from core.timeline.entry import Entry, event_uid
from deploy.broker import EmbeddedBroker
from schemas import instant
from schemas.registry import Registry
from schemas.topics import Topic, events_topic
from tests.chaos.business import CALM, Sent, business, cloud_event

from .notified import notified

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.bench]

REGISTRY = Registry.discover()
RULES = load(BUILT_IN, vocabulary(REGISTRY), REGISTRY.outreach)
DEPARTMENTS = ("sales", "service", "marketing", "finance")
INPUTS = tuple(events_topic(name) for name in DEPARTMENTS)
PREFIX = "streams-test"
PARTITIONS = 4
PATIENCE = 60.0
NOW = 1_795_000_000_000_000
STEP = 60_000_000
COPIES = 100
JSON = dict[str, Any]

CUSTOMER: JSON = {"identifiers": [{"type": "customer_no", "value": "c-known"}], "name": 'Mary "M" Müller'}
STORY: Sequence[tuple[str, JSON]] = (
    ("service.case.opened.v1", {"caseId": "K1", "category": "complaint", "priority": "high"}),
    ("marketing.campaign.sent.v1", {"campaignId": "S1", "channel": "email"}),
    ("marketing.campaign.sent.v1", {"campaignId": "S1", "channel": "email"}),
    ("service.case.opened.v1", {"caseId": "K2", "category": "billing", "priority": "low"}),
    ("finance.invoice.issued.v1", {"invoiceId": "I1", "total": "10.50", "currency": "EUR", "dueDate": "2026-01-31"}),
    ("finance.dunning.sent.v1", {"invoiceId": "I1", "level": 2}),
    ("finance.payment.received.v1", {"paymentId": "P1", "invoiceId": "I1", "total": "10.5", "currency": "EUR"}),
    ("service.case.resolved.v1", {"caseId": "K1"}),
    ("service.feedback.submitted.v1", {"metric": "csat", "value": 4.5, "caseId": "K1"}),
    ("sales.call.completed.v1", {"callId": "L1", "direction": "outbound", "outcome": "busy"}),
    ("sales.call.completed.v1", {"callId": "L2", "direction": "outbound", "outcome": "busy"}),
    ("sales.call.completed.v1", {"callId": "L3", "direction": "outbound", "outcome": "busy"}),
)
"""Of one customer, a minute each; the second campaign is one too many for the cooldown."""
TOLD = {("campaign-during-complaint", 1), ("dunning-during-dispute", 5), ("upsell-moment", 8), ("contact-fatigue", 11)}
"""Rules, and the step of the story at which each speaks."""

ORDER = {"customer": CUSTOMER, "orderId": "O1", "total": "1.00", "currency": "EUR"}
GUEST = {"identifiers": [{"type": "login", "value": "guest"}]}
BAD: Mapping[bytes, str] = {
    b'{"id": ': "not-json",
    cloud_event("sales.order.completed.v1", "/s", "", NOW, ORDER): "not-cloudevents",
    cloud_event("sales.order.complete.v1", "/s", "1", NOW, ORDER): "unknown-type",
    cloud_event("service.case.resolved.v1", "/s", "1", NOW, ORDER): "wrong-topic",
    cloud_event("sales.order.completed.v1", "/s", "1", NOW, {**ORDER, "total": 1.0}): "invalid-data",
    cloud_event("sales.order.completed.v1", "/s", "1", NOW, {**ORDER, "customer": GUEST}): "no-identifier",
}


def story(number: int) -> Sent:
    """One step of it."""
    kind, data = STORY[number]
    topic = events_topic(kind.split(".")[0])
    return Sent(topic, b"known", cloud_event(kind, "/test", str(number), at(number), {**data, "customer": CUSTOMER}))


def at(number: int) -> int:
    """When that step happened."""
    return NOW - STEP * (len(STORY) - number)


def events(sent: Sequence[Sent]) -> list[tuple[JSON, Sent]]:
    """The CloudEvents in the order of their time; of those in binary mode the attributes stand in headers."""
    read = []
    for one in sent:
        headers = {name[3:]: text.decode() for name, text in one.headers if name.startswith("ce_")}
        parsed = orjson.loads(one.value)
        read.append(({**headers, "data": parsed} if headers else parsed, one))
    return sorted(read, key=lambda pair: instant.parse(pair[0]["time"]))


CALM_ONES = [one for one in business(3, 3_000, 60, NOW, CALM) if one.topic in INPUTS]
GOOD = events([*CALM_ONES, *map(story, range(len(STORY)))])


@dataclass(frozen=True, slots=True)
class Done:
    """What stands on the peer's topics after it was told to end; reasons of dead letters by their value."""

    timeline: Sequence[tuple[str, JSON]]
    profiles: Mapping[str, JSON]
    alerts: Sequence[JSON]
    dead: Mapping[bytes, str]


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of its own: the department topics have the names of everybody's."""
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.bootstrap


@pytest.fixture(scope="module")
def done(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """After it has worked off everything good, some of it twice, and what is no good."""
    if reason := kafka_streams.lacking():
        pytest.skip(reason)
    build, home = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("home")
    kafka_streams.build(build)
    publish(bootstrap)
    environment = {
        "BENCH_BOOTSTRAP": bootstrap,
        "BENCH_PREFIX": PREFIX,
        "BENCH_PARTITIONS": str(PARTITIONS),
        "BENCH_STATE": str(home),
        "BENCH_INPUT": ",".join(INPUTS),
    }
    with (home / "log").open("wb") as log:
        peer = subprocess.Popen(
            kafka_streams.command(build), env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=log
        )
        assert peer.stdout is not None
        try:
            topics = orjson.loads(peer.stdout.readline())
            wait(bootstrap, topics["hop"], peer, home / "log")
        finally:
            peer.send_signal(signal.SIGTERM)
            peer.wait(10)
            peer.stdout.close()
    return Done(
        timeline=[(record.key.decode(), orjson.loads(record.value)) for record in read(bootstrap, topics["timeline"])],
        profiles={record.key.decode(): orjson.loads(record.value) for record in read(bootstrap, topics["profiles"])},
        alerts=[orjson.loads(record.value) for record in read(bootstrap, topics["alerts"])],
        dead={record.value: dict(record.headers)["reason"].decode() for record in read(bootstrap, f"{PREFIX}.dead")},
    )


def publish(bootstrap: str) -> None:
    """Topics as the benchmark makes them, and all events at their time: the peer reads them in that order."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        configs = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
        admin.create_topics(
            {name: {"num_partitions": PARTITIONS, "replication_factor": 1, "configs": configs} for name in INPUTS}
        )
    own = {"journal": PARTITIONS, "alerts": PARTITIONS, "dead": 1}
    apply(bootstrap, [Topic(f"{PREFIX}.{name}", count, 1, "delete", 2**20) for name, count in own.items()])
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for event, one in [*GOOD, *GOOD[-COPIES:]]:
        later = instant.parse(event["time"]) // 1000 + 1  # milliseconds: nothing is had before it happened
        producer.send(one.topic, one.value, one.key, headers=list(one.headers), timestamp_ms=later)
    for value in BAD:
        producer.send(events_topic("sales"), value, b"bad", timestamp_ms=NOW // 1000)
    producer.flush(PATIENCE)
    producer.close()


def wait(bootstrap: str, hop: str, peer: subprocess.Popen[bytes], log: Path) -> None:
    """Until everything that is read anywhere is committed. Raises ``TimeoutError``."""
    group = KafkaConsumer(bootstrap_servers=bootstrap, group_id=PREFIX, enable_auto_commit=False)
    partitions = [TopicPartition(name, number) for name in (*INPUTS, hop) for number in range(PARTITIONS)]
    until = time.monotonic() + PATIENCE
    while True:
        ends = group.end_offsets(partitions)
        if all((group.committed(one) or 0) >= end for one, end in ends.items()) and ends == group.end_offsets(
            partitions
        ):
            break
        if time.monotonic() > until or peer.poll() is not None:
            raise TimeoutError(f"the peer does not come to an end:\n{log.read_text()[-2_000:]}")
        time.sleep(0.1)
    group.close()


def read(bootstrap: str, topic: str) -> list[Any]:
    """All records of a topic whose transaction was committed."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False)
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends, found = consumer.end_offsets(partitions), []
    until = time.monotonic() + PATIENCE
    while any(consumer.position(one) < end for one, end in ends.items()):
        for records in consumer.poll(200).values():
            found += records
        assert time.monotonic() < until
    consumer.close()
    return found


def uid(event: JSON) -> str:
    """What makes it unique."""
    return event_uid(event["source"], event["id"])


def customer(event: JSON) -> str:
    """Whose it is."""
    known = [one["value"] for one in event["data"]["customer"]["identifiers"] if one["type"] == "customer_no"]
    return str(known[0]).upper()


def test_every_event_stands_on_the_timeline_once_as_it_was_sent(done: Done) -> None:
    expected = {f"{customer(event)}/{uid(event)}": event for event, _ in GOOD}
    plain = {"datacontenttype": "application/json"}  # which a binary event says in a header of another name
    assert {key: {**plain, **event} for key, event in expected.items()} == {
        key: entry["event"] for key, entry in done.timeline
    }
    assert len(expected) == len(done.timeline)


def test_an_entry_says_whose_and_when_it_is(done: Done) -> None:
    (entry,) = [dict(entry) for key, entry in done.timeline if key == f"C-KNOWN/{event_uid('/test', '0')}"]
    del entry["event"]
    expected = {
        "customerId": "C-KNOWN",
        "uid": event_uid("/test", "0"),
        "time": instant.render(at(0)),
        "department": "service",
        "late": False,
    }
    assert {**expected, "time": at(0)} == {**entry, "time": instant.parse(entry["time"])}


def test_the_alerts_are_those_that_the_rules_give(done: Done) -> None:
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    for event, _ in GOOD:
        moment = instant.parse(event["time"])
        entries[customer(event)].append(
            Entry(moment, uid(event), event["type"], event["source"], event["id"], event["data"])
        )
    expected = {
        (whose, alert.id, alert.rule, alert.key, alert.reason)
        for whose, past in entries.items()
        for alert in notified(past, RULES, NOW)
    }
    found = {(one["customerId"], one["id"], one["rule"], one["key"], one["reason"]) for one in done.alerts}
    assert expected == found
    assert len(expected) == len(done.alerts)


def test_the_known_story_gives_one_alert_of_each_rule(done: Done) -> None:
    found = {(one["rule"], instant.parse(one["time"])) for one in done.alerts if one["customerId"] == "C-KNOWN"}
    assert {(rule, at(number)) for rule, number in TOLD} == found


def test_a_profile_shows_what_is_open_and_what_stands(done: Done) -> None:
    found = dict(done.profiles["C-KNOWN"])
    del found["state"]
    (case,) = found.pop("open")
    assert {"entity": "case", "id": "K2", "category": "billing", "since": at(3)} == {
        **case,
        "since": instant.parse(case["since"]),
    }
    contacts = {name: instant.parse(time) for name, time in found.pop("lastContact").items()}
    assert {"sales": at(11), "marketing": at(2), "finance": at(5)} == contacts
    assert {rule for rule, _ in TOLD} == {one["rule"] for one in found.pop("standing")}
    assert {"customerId": "C-KNOWN", "name": CUSTOMER["name"], "entries": len(STORY)} == found


def test_profiles_count_the_entries(done: Done) -> None:
    counts: defaultdict[str, int] = defaultdict(int)
    for event, _ in GOOD:
        counts[customer(event)] += 1
    assert counts == {whose: profile["entries"] for whose, profile in done.profiles.items()}


def test_what_is_no_good_is_a_dead_letter_with_its_reason(done: Done) -> None:
    assert BAD == done.dead
