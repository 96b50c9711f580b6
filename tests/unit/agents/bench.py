"""A journal on the bench: journeys of every partition with their real stores, and no Kafka in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from aiokafka import ConsumerRecord
from prometheus_client import CollectorRegistry

from agents.documents import STATE, Document, Documents
from agents.identifiers import Identifiers
from agents.journey import Journey
from agents.metrics import Metrics
from agents.rule_files import BUILT_IN, load
from agents.vocabulary import vocabulary
from core.customer.customer import Customer
from core.rules.ruleset import RuleSet
from core.timeline.entry import uid_bytes
from engine.kafka.checkpoint import Checkpoint
from engine.kafka.cluster import Cluster
from engine.transactional.transaction import Output
from schemas.codec import Codec, Decoded
from schemas.journal import Header, event_headers
from schemas.registry import Registry
from schemas.topics import JOURNAL, PROFILES, partition_of

PARTITIONS = 4
REGISTRY = Registry.discover()
RULES = load(BUILT_IN, vocabulary(REGISTRY), REGISTRY.outreach)
IDENTIFIERS = Identifiers(b"a key for tests only", "GB")
CODEC = Codec(REGISTRY)


def record(
    topic: str,
    partition: int,
    offset: int,
    value: bytes | None,
    key: bytes | None = None,
    headers: Iterable[Header] = (),
    timestamp: int = 0,
) -> ConsumerRecord:
    """As a consumer would give it; ``timestamp`` in ms."""
    return ConsumerRecord(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=timestamp,
        timestamp_type=1,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=tuple(headers),
    )


def event(kind: str, time: str, number: object = 0, **data: Any) -> bytes:
    """A structured event about Ada, unless ``customer`` says otherwise."""
    data.setdefault("customer", {"identifiers": [{"type": "email", "value": "ada@example.com"}], "name": "Ada"})
    return Codec.encode_structured(type=kind, source="/test", id=f"{kind}-{number}", time=time, data=data)


MARK = Checkpoint(Cluster("", {}), {}, 0.0)
"""Of stores that nobody will open again."""


class Journal:
    """Appends records as the broker would, and runs the journey of the partition they fall into."""

    def __init__(self, home: Path, rules: RuleSet = RULES) -> None:
        self.home = home
        self.rules = rules
        self.logs: dict[tuple[str, int], list[ConsumerRecord]] = {}
        self.journeys: dict[int, Journey] = {}
        self.clock = 1_795_000_000_000

    def journey(self, partition: int) -> Journey:
        if partition not in self.journeys:
            metrics = Metrics(CollectorRegistry())
            self.journeys[partition] = Journey(
                partition, PARTITIONS, self.rules, IDENTIFIERS, self.home / str(partition), metrics
            )
        return self.journeys[partition]

    def append(self, output: Output) -> ConsumerRecord:
        log = self.logs.setdefault((output.topic, output.partition), [])
        self.clock += 1
        made = record(output.topic, output.partition, len(log), output.value, output.key, output.headers, self.clock)
        log.append(made)
        return made

    def run(self, records: Sequence[ConsumerRecord]) -> list[Output]:
        """One unit of work; what it writes to the journal is run too."""
        journey = self.journey(records[0].partition)
        outputs = list(journey.decide(records))
        journey.committed(MARK)
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
        last: dict[str, Any] = {}
        for (name, _), log in self.logs.items():
            for made in log if name == topic else ():
                last[made.key.decode()] = None if made.value is None else orjson.loads(made.value)["data"]
        return {key: data for key, data in last.items() if data is not None}

    def documents(self) -> dict[str, Document]:
        """The last record of each customer on the profiles' topic."""
        last = {made.key.decode(): made for (name, _), log in self.logs.items() if name == PROFILES for made in log}
        return {name: Document(made.value, dict(made.headers)[STATE]) for name, made in last.items()}

    def known(self, customer: str) -> Customer:
        """As a worker that restarts would know them."""
        return Documents(self.rules).decode(self.documents()[customer])

    def messages(self, topic: str) -> list[Mapping[str, Any]]:
        """All values of a topic, in the order of time."""
        made = [one for (name, _), log in self.logs.items() if name == topic for one in log]
        return [orjson.loads(one.value) for one in sorted(made, key=lambda one: one.timestamp)]

    def close(self) -> None:
        for journey in self.journeys.values():
            journey.close()
        self.journeys.clear()

    def restored(self, home: Path) -> Journal:
        """A journal of the same logs whose journeys know nothing but the public topics."""
        other = Journal(home, self.rules)
        other.logs = {place: list(log) for place, log in self.logs.items()}
        other.clock = self.clock
        for partition in range(PARTITIONS):
            journey = other.journey(partition)
            for source in journey.sources():
                journey.restore(self.logs.get((source.topic, source.partition), []))
            journey.opened(MARK)
        return other
