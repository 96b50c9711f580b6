"""What a cluster and its topics really are: their ids. A topic that was deleted and made again has its old name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NodeNotReadyError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
    UnsignedVarInt32,
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster's id, and those of the topics that were asked for, by name."""

    id: str
    topics: Mapping[str, str]

    def name(self, partition: TopicPartition) -> str:
        """``<topic id>/<number>``: a partition of a topic that was made anew has another name."""
        return f"{self.topics[partition.topic]}/{partition.partition}"


async def identify(client: AIOKafkaClient, topics: Iterable[str]) -> Cluster:
    """Ask the cluster for its id and the ids of ``topics``. Needs Kafka 2.8.

    Raises:
        KafkaError: no broker, or a topic does not exist.
    """
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known")
    answer = await client.send(node, _Metadata(sorted(set(topics))))
    ids = {}
    for code, name, topic_id, *_ in answer.topics:
        if code:
            raise for_code(code)(name)
        ids[name] = str(topic_id)
    return Cluster(answer.cluster_id, ids)


class _Uuid(AbstractType[UUID]):  # type: ignore[misc]  # aiokafka ships no types, here and below
    """16 bytes."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


class _CompactArray:
    """An array as flexible versions of the protocol write it; aiokafka 0.14 has none."""

    def __init__(self, item: Any) -> None:
        self._item = item

    def encode(self, items: Iterable[Any]) -> bytes:
        encoded = [self._item.encode(item) for item in items]
        return b"".join((UnsignedVarInt32.encode(len(encoded) + 1), *encoded))

    def decode(self, data: BytesIO) -> list[Any]:
        return [self._item.decode(data) for _ in range(UnsignedVarInt32.decode(data) - 1)]

    def repr(self, items: Iterable[Any]) -> str:
        return repr(items)


_NAME = CompactString("utf-8")
_TAGS = ("tags", TaggedFields)
_BROKER = Schema(("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), _TAGS)
_PARTITION = Schema(
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", _CompactArray(Int32)),
    ("isr", _CompactArray(Int32)),
    ("offline_replicas", _CompactArray(Int32)),
    _TAGS,
)
_TOPIC = Schema(
    ("error_code", Int16),
    ("name", _NAME),
    ("topic_id", _Uuid),
    ("is_internal", Boolean),
    ("partitions", _CompactArray(_PARTITION)),
    ("authorized_operations", Int32),
    _TAGS,
)


class _MetadataResponse(Response):  # type: ignore[misc]
    """Version 10 is the first with topic ids; aiokafka stops at 5."""

    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", _CompactArray(_BROKER)),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        ("topics", _CompactArray(_TOPIC)),
        ("cluster_authorized_operations", Int32),
        _TAGS,
    )


class _MetadataRequest(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", _CompactArray(Schema(("topic_id", _Uuid), ("name", _NAME), _TAGS))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class _Metadata(Request[_MetadataRequest]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequest]) -> _MetadataRequest:
        asked: list[tuple[UUID, str, dict[int, bytes]]] = [(UUID(int=0), name, {}) for name in self._topics]
        return request_struct_class(asked, False, False, False, {})
