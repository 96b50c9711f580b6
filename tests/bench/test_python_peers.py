"""The Python peers on a real Kafka: 2,000 events, among them known ones, come out as they must."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from benchmarks.peers.domain import uid_of
from tests.chaos.business import CALM, Sent, business, cloud_event

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.bench]

ROOT = Path(__file__).resolve().parents[2]
QUIX = Path(os.environ.get("CXBUS_BENCH_QUIX_PYTHON", ROOT / "build" / "bench" / ".venv-peers" / "bin" / "python"))
PARTITIONS = 4
PATIENCE = 60.0
NOW = 1_795_000_000_000_000
HOUR = 3_600_000_000
KNOWN = "C-KNOWN"
PYTHONS = [
    pytest.param("plain_faust", sys.executable, id="plain_faust"),
    pytest.param(
        "quix", str(QUIX), id="quix", marks=pytest.mark.skipif(not QUIX.exists(), reason=f"no Quix Streams at {QUIX}")
    ),
]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Department topics of this test, filled. ``good``: events that must be on a timeline, each once."""

    bootstrap: str
    topics: tuple[str, ...]
    good: int
    sent: int


def known() -> list[Sent]:
    """A customer of whom two alerts must be told, with a copy of everything, and an event that is no good."""

    def event(hours: int, kind: str, **data: object) -> Sent:
        # In another spelling of the number, that is upper-cased.
        whole = {"customer": {"identifiers": [{"type": "customer_no", "value": "c-known"}], "name": "Mary"}, **data}
        department = kind.split(".")[0]
        text = cloud_event(kind, f"/{department}/known", f"known-{hours}", NOW - (40 - hours) * HOUR, whole)
        return Sent("marketing", b"known", text)

    good = [
        event(0, "service.case.opened.v1", caseId="K1", category="complaint", priority="high"),
        event(1, "marketing.campaign.sent.v1", campaignId="S1", channel="email"),
        event(2, "finance.dunning.sent.v1", invoiceId="I1", level=1),
        event(3, "marketing.campaign.sent.v1", campaignId="S1", channel="email"),
    ]
    return [*good, *good, event(4, "service.case.opened.v1", caseId="K2", priority="high")]


@pytest.fixture(scope="module")
def inputs(bootstrap: str) -> Inputs:
    mark = uuid.uuid4().hex[:8]
    calm = business(11, 1_990, 100, NOW, CALM)
    topics = {one.topic for one in calm}
    extra = [Sent(f"cx.{one.topic}.events.v1", one.key, one.value) for one in known()]
    with producer_and_admin(bootstrap) as (producer, admin):
        admin.create_topics([NewTopic(f"{mark}.{name}", PARTITIONS, 1) for name in sorted(topics)])
        for one in [*calm, *extra]:
            producer.send(f"{mark}.{one.topic}", one.value, one.key, headers=list(one.headers))
        producer.flush(30)
    good = len(calm) + (len(extra) - 1) // 2
    return Inputs(bootstrap, tuple(f"{mark}.{name}" for name in sorted(topics)), good, len(calm) + len(extra))


@contextmanager
def producer_and_admin(bootstrap: str) -> Iterator[tuple[KafkaProducer, KafkaAdminClient]]:
    producer, admin = KafkaProducer(bootstrap_servers=bootstrap), KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        yield producer, admin
    finally:
        producer.close()
        admin.close()


def environment(inputs: Inputs, state: Path) -> dict[str, str]:
    """What the benchmark tells a peer."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "BENCH_BOOTSTRAP": inputs.bootstrap,
        "BENCH_PREFIX": f"peer-{uuid.uuid4().hex[:8]}",
        "BENCH_PARTITIONS": str(PARTITIONS),
        "BENCH_STATE": str(state),
        "BENCH_INPUT": ",".join(inputs.topics),
    }


def written(bootstrap: str, topic: str) -> list[tuple[bytes, bytes]]:
    """Keys and values of all committed records; none of a topic that does not exist yet."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False)
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        if not partitions:
            return []
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(partitions)
        found: list[tuple[bytes, bytes]] = []
        until = time.monotonic() + PATIENCE
        while any(consumer.position(one) < ends[one] for one in partitions) and time.monotonic() < until:
            for records in consumer.poll(500).values():
                found += [(record.key, record.value) for record in records]
        return found
    finally:
        consumer.close()


def is_profile(key: bytes) -> bool:
    """Quix Streams has one store for both, so profiles have a key of their own there."""
    return (b"|" not in key and b"/" not in key) or key.endswith(b"|profile")


@pytest.mark.parametrize(("peer", "python"), PYTHONS)
def test_a_peer_keeps_timelines_and_profiles_and_tells_alerts(
    peer: str, python: str, inputs: Inputs, tmp_path: Path
) -> None:
    settings = environment(inputs, tmp_path)
    prefix = settings["BENCH_PREFIX"]
    with producer_and_admin(inputs.bootstrap) as (_, admin):
        admin.create_topics(
            [
                NewTopic(f"{prefix}.{name}", 1 if name == "dead" else PARTITIONS, 1)
                for name in ("journal", "timeline", "profiles", "alerts", "dead")
            ]
        )
    with (
        (tmp_path / "peer.log").open("wb") as log,
        subprocess.Popen(
            [python, "-P", "-m", f"benchmarks.peers.{peer}"],
            cwd=tmp_path,
            env=settings,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            where = json.loads(process.stdout.readline())
            until = time.monotonic() + PATIENCE
            entries: dict[bytes, bytes] = {}
            while len(entries) < inputs.good and time.monotonic() < until:
                assert process.poll() is None, (tmp_path / "peer.log").read_text()
                records = written(inputs.bootstrap, where["timeline"])
                entries = {key: value for key, value in records if not is_profile(key)}
                time.sleep(0.5)
            time.sleep(3)  # whatever would come twice
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert process.stdout.read() == b""
        finally:
            process.kill()
    texts = [value for key, value in written(inputs.bootstrap, where["timeline"]) if not is_profile(key)]
    assert inputs.good == len(texts) == len(entries)
    for record in map(json.loads, entries.values()):
        assert record["uid"] == uid_of(record["event"])
    profiles = {
        document["customerId"]: document
        for key, value in written(inputs.bootstrap, where["profiles"])
        if is_profile(key) and (document := json.loads(value))
    }
    assert inputs.good == sum(document["entries"] for document in profiles.values())
    mary = profiles[KNOWN]
    assert ("Mary", 4) == (mary["name"], mary["entries"])
    assert [("case", "K1", "complaint")] == [(one["entity"], one["id"], one["category"]) for one in mary["open"]]
    assert {"marketing", "finance"} == set(mary["lastContact"])
    alerts = [json.loads(value) for key, value in written(inputs.bootstrap, where["alerts"]) if key == KNOWN.encode()]
    told = Counter((alert["rule"], alert["key"]) for alert in alerts)
    assert {("campaign-during-complaint", "S1"): 1, ("contact-fatigue", ""): 1} == told
    letters = [json.loads(value) for _, value in written(inputs.bootstrap, f"{prefix}.dead")]
    assert ["invalid-data"] == [letter["reason"] for letter in letters]


def test_the_limit_reads_everything(inputs: Inputs, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers.limit"],
        cwd=tmp_path,
        env=environment(inputs, tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert inputs.sent == json.loads(done.stdout.splitlines()[-1])["count"]
