"""The topics that a sink copies, read by somebody else: every committed record, tombstones included."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

STALL_SECONDS = 60.0

Place = tuple[str, int]
"""Topic and partition number."""


class Record(NamedTuple):
    """One record; ``timestamp`` is when the broker appended it (ms)."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Which cluster and topics these are; each id 32 hex digits, as Kafka's own tools show them in base 64."""

    cluster: str
    topics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that was committed when it was read, and the offset after the last record or marker."""

    records: list[Record]
    ends: Mapping[Place, int]
    identity: Identity

    def before(self, offsets: Mapping[Place, int]) -> Contents:
        """As far as somebody has come who is at these offsets."""
        seen = [r for r in self.records if r.offset < offsets.get((r.topic, r.partition), 0)]
        return Contents(seen, {place: offsets.get(place, 0) for place in self.ends}, self.identity)


async def ends(bootstrap: str, sizes: Mapping[str, int]) -> dict[Place, int]:
    """Where each partition ends for a reader of committed records."""
    async with _consumer(bootstrap) as consumer:
        return {tuple(at): end for at, end in (await consumer.end_offsets(_places(sizes))).items()}


async def contents(bootstrap: str, sizes: Mapping[str, int]) -> Contents:
    """From start to end as it is now. ``sizes``: partitions by topic. TimeoutError when nothing moves for a minute."""
    found: list[Record] = []
    async with _consumer(bootstrap) as consumer:
        places = _places(sizes)
        consumer.assign(places)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(places)
        behind = set(places)
        while behind:
            async with asyncio.timeout(STALL_SECONDS):
                fetched = await consumer.getmany(timeout_ms=200, max_records=20_000)
            for at, records in fetched.items():
                found += [
                    Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value)
                    for r in records
                    if r.offset < ends[at]
                ]
            for at in list(behind):
                if await consumer.position(at) >= ends[at]:
                    behind.remove(at)
    known = await asyncio.to_thread(identity, bootstrap, sizes)
    return Contents(found, {tuple(at): end for at, end in ends.items()}, known)


def identity(bootstrap: str, topics: Iterable[str]) -> Identity:
    """Asks the cluster who it is."""
    from kafka import KafkaAdminClient  # it warns when it is imported, and pytest forgives that in tests only

    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        described = admin.describe_topics(list(topics))
        cluster = admin.describe_cluster()["cluster_id"]
    return Identity(cluster, {topic["name"]: UUID(str(topic["topic_id"])).hex for topic in described})


def _places(sizes: Mapping[str, int]) -> list[TopicPartition]:
    return [TopicPartition(name, number) for name, count in sizes.items() for number in range(count)]


def _consumer(bootstrap: str) -> Any:
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
