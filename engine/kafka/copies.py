"""When a copy of a partition may be read on from: a database, a local store.

Another cluster or topic, an offset beyond the end of the log, or a pause so long that tombstones may have been cleaned
up unseen: discard and rebuild, else what was erased would live on. The same where records with tombstones among them
are gone before they were read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Partition = tuple[str, int]
"""Topic and partition number."""

MAX_PAUSE_MS = 15 * 24 * 3_600_000
"""Half of the time for which compacted topics keep the traces of what was erased (``delete.retention.ms``, 30 d)."""


@dataclass(frozen=True, slots=True)
class Log:
    """One partition as the broker has it now; ``end`` is the next offset to be written.

    ``topic_id`` and ``cluster_id`` tell a recreated topic and another cluster from those that were read before.
    """

    cluster_id: str
    topic_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reached:
    """Everything before ``next_offset`` was seen, and with it everything that was written before ``as_of_ms``."""

    next_offset: int
    as_of_ms: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far a copy is in one partition, and of which log that is."""

    cluster_id: str
    topic_id: str
    reached: Reached


class Doubt(StrEnum):
    """Why what a copy holds of a partition cannot be vouched for."""

    OTHER_CLUSTER = "other-cluster"
    OTHER_TOPIC = "other-topic"
    BEYOND_END = "beyond-end"
    BEFORE_START = "before-start"
    TOO_OLD = "too-old"


def doubt(position: Position, log: Log, now_ms: int, max_pause_ms: int | None) -> Doubt | None:
    """Why ``position`` is not a place in ``log`` from which one may read on, or None.

    ``max_pause_ms`` is None for topics without tombstones. With nothing left to read, no pause was too long.
    """
    if position.cluster_id != log.cluster_id:
        return Doubt.OTHER_CLUSTER
    if position.topic_id != log.topic_id:
        return Doubt.OTHER_TOPIC
    if position.reached.next_offset > log.end:
        return Doubt.BEYOND_END
    if max_pause_ms is not None and position.reached.next_offset < log.start:
        return Doubt.BEFORE_START
    paused = now_ms - position.reached.as_of_ms
    if max_pause_ms is not None and position.reached.next_offset < log.end and paused > max_pause_ms:
        return Doubt.TOO_OLD
    return None
