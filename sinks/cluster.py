"""What a sink needs from Kafka besides records: the ids of the cluster and the topics, and commits to its group.

aiokafka's consumer commits only as a member of a group, and errors of that group would then interrupt reading. So the
commit request is sent here, on a connection of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import for_code
from aiokafka.protocol.commit import OffsetCommitRequest

from engine.kafka.cluster import metadata
from engine.kafka.copies import PartitionKey


@dataclass(frozen=True, slots=True)
class LiveTopic:
    """One topic as it is now. The id changes when the topic is deleted and created again."""

    topic_id: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClusterState:
    """The cluster's id, and those of the requested topics that exist."""

    cluster_id: str
    topics: Mapping[str, LiveTopic]


class Connection:
    """A connection to the cluster. Every method may raise ``aiokafka.errors.KafkaError`` and OSError."""

    def __init__(self, bootstrap: str, security: Mapping[str, Any], *, request_timeout_ms: int) -> None:
        self._client = AIOKafkaClient(
            bootstrap_servers=bootstrap, client_id="cxbus-sink", request_timeout_ms=request_timeout_ms, **security
        )

    async def start(self) -> None:
        """Connect."""
        await self._client.bootstrap()

    async def stop(self) -> None:
        """Disconnect; harmless when it never connected."""
        await self._client.close()

    async def topology(self, topics: Collection[str]) -> ClusterState:
        """The cluster's id, and id and partitions of these topics. Creates none."""
        response = await metadata(self._client, topics)
        found = {}
        for error, name, topic_id, _, partitions, *_ in response.topics:
            if error == 0:
                found[name] = LiveTopic(topic_id.hex(), tuple(sorted(partition for _, partition, *_ in partitions)))
        return ClusterState(response.cluster_id or "", found)

    async def commit(self, group: str, offsets: Mapping[PartitionKey, int]) -> None:
        """Commit the group's offsets without being a member of it, so that tools can show its lag."""
        by_topic: dict[str, list[tuple[int, int, str]]] = {}
        for (topic, partition), offset in offsets.items():
            by_topic.setdefault(topic, []).append((partition, offset, ""))
        coordinator = await self._client.coordinator_lookup(CoordinationType.GROUP, group)
        request = OffsetCommitRequest(group, -1, "", -1, list(by_topic.items()))
        response = await self._client.send(coordinator, request)
        for _, partitions in response.topics:
            for _, error in partitions:
                if error:
                    raise for_code(error)()
