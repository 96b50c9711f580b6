"""Kafka's metadata request in version 10, the first with topic ids (brokers since 2.8); aiokafka supports up to 5.

It follows the message format in the Kafka protocol guide, and is built from aiokafka's types.
"""

from __future__ import annotations

from collections.abc import Collection
from io import BytesIO
from typing import ClassVar

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_UUID_BYTES = 16
_NAME = CompactString("utf-8")


class Uuid(AbstractType):  # type: ignore[misc]  # aiokafka ships no types
    """Sixteen bytes; all zero where only the name is known."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        """The bytes unchanged."""
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        """The next sixteen bytes."""
        return data.read(_UUID_BYTES)


class MetadataResponse10(Response):  # type: ignore[misc]  # aiokafka ships no types
    """Brokers, cluster id, and topics with their ids and partitions."""

    API_KEY: ClassVar[int] = 3
    API_VERSION: ClassVar[int] = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), ("tags", TaggedFields)),
        ),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _NAME),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class MetadataRequest10(RequestStruct):  # type: ignore[misc]  # aiokafka ships no types
    """Requests topics by name."""

    FLEXIBLE_VERSION: ClassVar[bool] = True
    API_KEY: ClassVar[int] = 3
    API_VERSION: ClassVar[int] = 10
    RESPONSE_TYPE = MetadataResponse10
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", Uuid), ("name", _NAME), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class MetadataRequest(Request[MetadataRequest10]):  # type: ignore[misc]  # aiokafka ships no types
    """The request for the client; aiokafka builds it when it knows which versions the broker supports."""

    API_KEY = 3

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = topics

    def build(self, struct: type[MetadataRequest10]) -> MetadataRequest10:
        """The request; it does not create topics."""
        topics: list[tuple[bytes, str, dict[int, bytes]]] = [(bytes(_UUID_BYTES), topic, {}) for topic in self._topics]
        return struct(topics, False, False, False, {})
