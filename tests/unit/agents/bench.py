"""What tests of the agents share: events, the built-in rules, and a journal of customers who are known by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from agents.documents import STATE, Document, Documents
from agents.identifiers import Identifiers
from agents.journey import Journey
from agents.normalisation import Normalisation
from agents.pipeline import Pipeline, PipelineConfig
from agents.rule_files import BUILT_IN, load
from agents.vocabulary import vocabulary
from core.customer.customer import Customer
from core.rules.ruleset import RuleSet
from core.timeline.entry import uid_bytes
from engine.kafka.checkpoint import Checkpoint
from engine.kafka.cluster import Cluster
from engine.kafka.record import KafkaRecord, Record
from engine.transactional.transaction import Output
from schemas.codec import Codec, Decoded
from schemas.journal import MERGE, ORDER, Header, event_headers
from schemas.registry import Registry
from schemas.topics import JOURNAL, PROFILES, alerts_topic, partition_of

PARTITIONS = 4
REGISTRY = Registry.discover()
RULES = load(BUILT_IN, vocabulary(REGISTRY), REGISTRY.outreach)
KEY = b"a key for tests only"
IDENTIFIERS = Identifiers(KEY, "GB")
NORMALISATION = Normalisation("GB")
CODEC = Codec(REGISTRY)


CONFIG = PipelineConfig(RULES, IDENTIFIERS, REGISTRY, CODEC, PARTITIONS)


def record(
    topic: str,
    partition: int,
    offset: int,
    value: bytes | None,
    key: bytes | None = None,
    headers: Iterable[Header] = (),
    timestamp: int = 0,
) -> Record:
    """As a worker's consumer would give it; ``timestamp`` in ms."""
    return Record(topic, partition, offset, timestamp, key, value, tuple(headers))


def event(kind: str, time: str, number: object = 0, **data: Any) -> bytes:
    """A structured event about Ada, unless ``customer`` says otherwise."""
    data.setdefault("customer", {"identifiers": [{"type": "email", "value": "ada@example.com"}], "name": "Ada"})
    return Codec.encode_structured(type=kind, source="/test", id=f"{kind}-{number}", time=time, data=data)


MARK = Checkpoint(Cluster("", {}), {}, 0.0)
"""Of stores that nobody will open again."""

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where there is such a folder, a store need not wait for a disk."""


class Journal:
    """A pipeline whose customers are known by name: events begin in the journal. Each record comes a millisecond later
    than the last one, and is dealt with before the next.
    """

    def __init__(self, home: Path, rules: RuleSet = RULES) -> None:
        self.pipeline = Pipeline(replace(CONFIG, rules=rules), home)
        self.rules = rules
        self.logs = self.pipeline.logs
        self.clock = 1_795_000_000_000

    def journey(self, partition: int) -> Journey:
        return self.pipeline.journey(partition)

    def append(self, output: Output) -> Record:
        self.clock += 1
        (made,) = self.pipeline.write([output], self.clock)
        return made

    def run(self, records: Sequence[KafkaRecord]) -> list[Output]:
        """One unit of work; what it writes to the journal is run too."""
        outputs = self.pipeline.unit(self.journey(records[0].partition), records)
        for made in [self.append(output) for output in outputs]:
            if made.topic == JOURNAL:
                outputs += self.run([made])
        return outputs

    def publish(self, customer: str, value: bytes, department: str = "service") -> list[Output]:
        """A department's event that intake found to be ``customer``'s."""
        decoded = CODEC.decode(department, value, [])
        assert isinstance(decoded, Decoded), decoded
        uid = uid_bytes(decoded.source, decoded.id)
        headers = event_headers(f"cx.{department}.events.v1/0/{self.clock}", self.clock * 1000, decoded.time, uid)
        return self.tell(customer, value, headers)

    def tell(self, customer: str, value: bytes, headers: Iterable[Header]) -> list[Output]:
        """Any journal record."""
        place = partition_of(customer, PARTITIONS)
        return self.run([self.append(Output(JOURNAL, place, customer.encode(), value, tuple(headers)))])

    def current(self, topic: str) -> dict[str, Mapping[str, Any]]:
        """What compaction would leave of a topic: the data of the last value of each key."""
        latest = self.pipeline.latest(topic)
        return {key.decode(): orjson.loads(one.value)["data"] for key, one in latest.items() if key is not None}

    def documents(self) -> dict[str, Document]:
        """The last record of each customer on the profiles' topic."""
        last = {one.key.decode(): one for one in self.pipeline.latest(PROFILES).values()}
        return {name: Document(one.value, dict(one.headers)[STATE]) for name, one in last.items()}

    def known(self, customer: str) -> Customer:
        """As a worker that restarts would know them."""
        return Documents(self.rules).decode(self.documents()[customer])

    def messages(self, topic: str) -> list[Mapping[str, Any]]:
        """All values of a topic, in the order of time."""
        return [orjson.loads(one.value) for one in self.pipeline.records(topic)]

    def close(self) -> None:
        self.pipeline.close()

    def restored(self, home: Path) -> Journal:
        """A journal of the same logs whose journeys know nothing but the public topics."""
        other = Journal(home, self.rules)
        other.logs.update({place: list(log) for place, log in self.logs.items()})
        other.clock = self.clock
        for partition in range(PARTITIONS):
            other.pipeline.restart("journey", partition)
        return other


def minute(number: int) -> str:
    """So many minutes after the day before the journal's clock."""
    return (datetime(2026, 11, 17, 12, tzinfo=UTC) + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")


def size(output: Output) -> int:
    return len(output.value or b"") + len(dict(output.headers).get(STATE, b""))


def largest(outputs: Sequence[Output]) -> int:
    return max(map(size, outputs))


def complain(journal: Journal, customer: str, number: int, **more: Any) -> list[Output]:
    told = {"caseId": f"CASE-{number:06}", "category": "complaint", "priority": "high", **more}
    return journal.publish(customer, event("service.case.opened.v1", minute(number), number, **told))


def advertise(journal: Journal, customer: str, number: int, **more: Any) -> list[Output]:
    told = {"campaignId": f"CAMP-{number:05}", "channel": "email", **more}
    return journal.publish(customer, event("marketing.campaign.sent.v1", minute(number), number, **told), "marketing")


def told_of(journal: Journal, rule: str) -> list[Any]:
    """The data of all messages about alerts of a rule to service."""
    said = [message["data"] for message in journal.messages(alerts_topic("service"))]
    return [data for data in said if data["rule"] == rule]


def merge(journal: Journal, customer: str, into: str) -> list[Output]:
    return journal.tell(customer, orjson.dumps({"into": into, "version": 7}), ((ORDER, MERGE),))


def identifiers(start: int, count: int) -> list[dict[str, str]]:
    return [{"type": "device", "value": f"number {start + one}"} for one in range(count + 1)]


def complain_and_advertise(journal: Journal, customer: str) -> None:
    journal.publish(
        customer,
        event("service.case.opened.v1", "2026-11-17T09:00:00Z", caseId="K1", category="complaint", priority="high"),
    )
    journal.publish(
        customer,
        event("marketing.campaign.sent.v1", "2026-11-17T12:00:00Z", campaignId="S1", channel="email"),
        "marketing",
    )
