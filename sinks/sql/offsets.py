"""The sink's offsets: stored in the same database as the rows, and changed in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from engine.kafka.copies import PartitionKey, Position, Reached

from ..base import TopicKind
from .model import sink_offsets
from .writer import Writer


def read(connection: Connection) -> dict[PartitionKey, Position]:
    """The stored position in each partition."""
    return {
        (row.topic, row.partition): Position(row.cluster_id, row.topic_id, Reached(row.next_offset, row.as_of_ms))
        for row in connection.execute(select(sink_offsets))
    }


def write(
    connection: Connection, writer: Writer, kinds: Mapping[str, TopicKind], positions: Mapping[PartitionKey, Position]
) -> None:
    """Store the positions of these partitions. ``kinds``: topic → what it holds."""
    rows = [
        {
            "topic": topic,
            "partition": number,
            "kind": kinds[topic].value,
            "next_offset": position.reached.next_offset,
            "as_of_ms": position.reached.as_of_ms,
            "cluster_id": position.cluster_id,
            "topic_id": position.topic_id,
        }
        for (topic, number), position in positions.items()
    ]
    writer.put(connection, sink_offsets, rows)


def forget(connection: Connection, kind: TopicKind) -> None:
    """Delete the positions of all topics of this kind, including topics that are no longer read."""
    connection.execute(delete(sink_offsets).where(sink_offsets.c.kind == kind.value))
