"""Reads a sink's topics: the committed records of all partitions, from offsets that the sink gives.

Only the database decides where to continue. So the consumer is in no group, assigns all partitions to itself and never
resets an offset; an offset that Kafka no longer has is an error, after which the connection is opened again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from typing import Any

import structlog
from aiokafka import TopicPartition

from engine.kafka.copies import Log, PartitionKey, Reached
from engine.kafka.mark import MARK, Newer, is_ours
from engine.kafka.reader import reader
from engine.kafka.record import KafkaRecord

from .base import SinkRefused
from .cluster import ClusterState, Connection

log = structlog.get_logger("sinks.reading")

_TIMEOUT_MS = 10_000
_LONGEST_POLL_MS = 100
"""How long the broker may hold a fetch request (ms); it answers at once when there are records."""
_PARTITION_BYTES = 2 * 1024 * 1024
"""Bytes of one partition in a fetch response: the largest record of an internal topic."""
_MISSING_POLL_S = 0.5
_SAY_AGAIN_S = 30.0


class Reading:
    """One connection to the cluster. Any method may raise ``aiokafka.errors.KafkaError`` or OSError; then close it."""

    def __init__(self, bootstrap: str, topics: Collection[str], security: Mapping[str, Any]) -> None:
        self._names = sorted(topics)
        self._cluster = Connection(bootstrap, security, request_timeout_ms=_TIMEOUT_MS)
        self._reader = reader(
            bootstrap,
            client_id="cxbus-sink",
            isolation_level="read_committed",
            auto_offset_reset="none",
            fetch_max_wait_ms=_LONGEST_POLL_MS,
            max_partition_fetch_bytes=_PARTITION_BYTES,
            request_timeout_ms=_TIMEOUT_MS,
            **security,
        )
        self._open = AsyncExitStack()
        self._topology = ClusterState("", {})

    async def open(self) -> None:
        """Connect, and wait until all topics exist."""
        self._open.push_async_callback(self._cluster.stop)
        await self._cluster.start()
        self._consumer = await self._open.enter_async_context(self._reader)
        said = -_SAY_AGAIN_S
        while True:
            self._topology = await self._cluster.topology(self._names)
            missing = [name for name in self._names if name not in self._topology.topics]
            if not missing:
                return
            now = asyncio.get_running_loop().time()
            if now - said >= _SAY_AGAIN_S:
                log.warning("topics-missing", topics=missing, hint="cxbus topics apply")
                said = now
            await asyncio.sleep(_MISSING_POLL_S)

    async def close(self) -> None:
        """Disconnect. Raises nothing."""
        await asyncio.gather(self._open.aclose(), return_exceptions=True)

    async def logs(self) -> dict[PartitionKey, Log]:
        """The log of each partition as the broker has it now: cluster, topic id, first and end offset."""
        partitions = [
            TopicPartition(name, number) for name in self._names for number in self._topology.topics[name].partitions
        ]
        starts = await self._consumer.beginning_offsets(partitions)
        ends = await self._consumer.end_offsets(partitions)
        return {
            (at.topic, at.partition): Log(
                self._topology.cluster_id, self._topology.topics[at.topic].topic_id, starts[at], ends[at]
            )
            for at in partitions
        }

    def seek(self, offsets: Mapping[PartitionKey, int]) -> None:
        """Read exactly these partitions, each from its offset."""
        self._consumer.assign([TopicPartition(*partition) for partition in offsets])
        for partition, offset in offsets.items():
            self._consumer.seek(TopicPartition(*partition), offset)

    async def read(self, at_most: int, seconds: float) -> list[KafkaRecord]:
        """The next records, in offset order for each partition; empty when none arrive within ``seconds``.

        Raises ``SinkRefused`` when a newer version of the bus wrote one of them.
        """
        found = await self._consumer.getmany(timeout_ms=round(seconds * 1000), max_records=at_most)
        records = [record for some in found.values() for record in some]
        try:
            for r in records:
                if MARK not in r.headers:
                    is_ours(r)
        except Newer as error:
            raise SinkRefused(f"{error}.") from error
        return records

    async def reached(self) -> dict[PartitionKey, Reached]:
        """How far ``read`` has come in each partition, transaction markers and aborted records included.

        At the end of a partition, everything written before the broker's last response was read: that is its time.
        """
        marks = {}
        for at in self._consumer.assignment():
            position = await self._consumer.position(at)
            end = self._consumer.last_stable_offset(at)
            at_end = end is not None and 0 <= end <= position
            as_of_ms = self._consumer.last_poll_timestamp(at) if at_end else 0
            marks[at.topic, at.partition] = Reached(position, as_of_ms)
        return marks

    async def behind(self) -> dict[PartitionKey, int]:
        """Lag in offsets, for each partition whose high watermark the broker has sent."""
        return {
            (at.topic, at.partition): max(0, end - await self._consumer.position(at))
            for at in self._consumer.assignment()
            if (end := self._consumer.highwater(at)) is not None
        }

    async def outdated(self) -> bool:
        """Whether a topic was deleted, created again or given more partitions since ``open``."""
        return await self._cluster.topology(self._names) != self._topology

    async def commit(self, group: str, offsets: Mapping[PartitionKey, int]) -> None:
        """Commit the database's offsets to a consumer group, which shows the lag."""
        await self._cluster.commit(group, offsets)
