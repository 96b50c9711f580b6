"""The topics of a sink as they are read: committed records of all their partitions, from offsets that the sink names.

Nobody assigns partitions here and nobody else decides where to read on: the database does. So the consumer is in no
group and never resets an offset by itself; an offset that is not there is an error that opens the reading again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from typing import Any

import structlog
from aiokafka import TopicPartition

from engine.kafka.copies import Log, Partition, Reached
from engine.kafka.mark import MARK, Newer, is_ours
from engine.kafka.reader import reader
from engine.kafka.record import KafkaRecord

from .base import SinkRefused
from .cluster import Cluster, Topology

log = structlog.get_logger("sinks.reading")

_TIMEOUT_MS = 10_000
_LONGEST_POLL_MS = 100
"""How long the broker may keep a request for news; it answers at once when there is some."""
_PARTITION_BYTES = 2 * 1024 * 1024
"""Of one answer; the largest record of an internal topic."""
_MISSING_POLL_S = 0.5
_SAY_AGAIN_S = 30.0


class Reading:
    """One connection to the cluster. Everything may raise ``aiokafka.errors.KafkaError`` and OSError; then close it."""

    def __init__(self, bootstrap: str, topics: Collection[str], security: Mapping[str, Any]) -> None:
        self._names = sorted(topics)
        self._cluster = Cluster(bootstrap, security, request_timeout_ms=_TIMEOUT_MS)
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
        self._topology = Topology("", {})

    async def open(self) -> None:
        """Connect, and wait until all topics are there."""
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

    async def logs(self) -> dict[Partition, Log]:
        """Each partition as the broker has it now."""
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

    def seek(self, offsets: Mapping[Partition, int]) -> None:
        """Read exactly these partitions, from here on."""
        self._consumer.assign([TopicPartition(*partition) for partition in offsets])
        for partition, offset in offsets.items():
            self._consumer.seek(TopicPartition(*partition), offset)

    async def read(self, at_most: int, seconds: float) -> list[KafkaRecord]:
        """The next records, in offset order for each partition; none when none come within ``seconds``.

        Raises ``SinkRefused`` when a later version of the bus wrote one.
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

    async def reached(self) -> dict[Partition, Reached]:
        """How far everything returned by ``read`` goes: past markers and aborted records, too.

        At the end of a partition, nothing was written before the broker's last answer that we have not seen.
        """
        marks = {}
        for at in self._consumer.assignment():
            position = await self._consumer.position(at)
            end = self._consumer.last_stable_offset(at)
            at_end = end is not None and 0 <= end <= position
            as_of_ms = self._consumer.last_poll_timestamp(at) if at_end else 0
            marks[at.topic, at.partition] = Reached(position, as_of_ms)
        return marks

    async def behind(self) -> dict[Partition, int]:
        """How many offsets there are beyond what was read, for the partitions of which the broker has told."""
        return {
            (at.topic, at.partition): max(0, end - await self._consumer.position(at))
            for at in self._consumer.assignment()
            if (end := self._consumer.highwater(at)) is not None
        }

    async def outdated(self) -> bool:
        """Whether a topic was deleted, created again or given more partitions since ``open``."""
        return await self._cluster.topology(self._names) != self._topology

    async def commit(self, group: str, offsets: Mapping[Partition, int]) -> None:
        """Show in a consumer group how far the database is."""
        await self._cluster.commit(group, offsets)
