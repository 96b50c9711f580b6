"""The ids of a cluster and its topics. A topic that was deleted and created again has the same name, but another id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NodeNotReadyError, for_code

from engine.kafka.metadata_request import MetadataRequest, MetadataResponse10


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster's id, and the ids of the requested topics, by name."""

    id: str
    topics: Mapping[str, str]

    def name(self, partition: TopicPartition) -> str:
        """``<topic id>/<number>``: a partition of a recreated topic has another name."""
        return f"{self.topics[partition.topic]}/{partition.partition}"


async def metadata(client: AIOKafkaClient, topics: Iterable[str]) -> MetadataResponse10:
    """A broker's metadata of the cluster and these ``topics``. Creates none; needs Kafka 2.8.

    Raises:
        KafkaError: no broker.
    """
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known")
    answer: MetadataResponse10 = await client.send(node, MetadataRequest(sorted(set(topics))))
    return answer


async def identify(client: AIOKafkaClient, topics: Iterable[str]) -> Cluster:
    """Ask the cluster for its id and the ids of ``topics``.

    Raises:
        KafkaError: no broker, or a topic does not exist.
    """
    answer = await metadata(client, topics)
    ids = {}
    for code, name, topic_id, *_ in answer.topics:
        if code:
            raise for_code(code)(name)
        ids[name] = str(UUID(bytes=topic_id))
    return Cluster(answer.cluster_id, ids)
