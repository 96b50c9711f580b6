"""Whether a copy of a partition (a database, a local store) can be brought up to date by reading further.

Another cluster or topic, an offset beyond the end of the log, or a pause so long that compaction may have removed
tombstones unread: discard and rebuild, else deleted data would live on. The same where records, with tombstones among
them, were deleted before they were read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PartitionKey = tuple[str, int]
"""Topic and partition number."""

MAX_PAUSE_MS = 15 * 24 * 3_600_000
"""Half of the time for which compacted topics keep tombstones (``delete.retention.ms``, 30 d)."""


@dataclass(frozen=True, slots=True)
class Log:
    """One partition as the broker has it now; ``end`` is the next offset to be written.

    ``topic_id`` and ``cluster_id`` distinguish a recreated topic and another cluster from those that were read before.
    """

    cluster_id: str
    topic_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reached:
    """Everything before ``next_offset`` was read, and with it everything that was written before ``as_of_ms``."""

    next_offset: int
    as_of_ms: int


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a copy in one partition, and the log that it belongs to."""

    cluster_id: str
    topic_id: str
    reached: Reached


class Doubt(StrEnum):
    """Why a copy of a partition can't be trusted."""

    OTHER_CLUSTER = "other-cluster"
    OTHER_TOPIC = "other-topic"
    BEYOND_END = "beyond-end"
    BEFORE_START = "before-start"
    TOO_OLD = "too-old"


def doubt(position: Position, log: Log, now_ms: int, max_pause_ms: int | None) -> Doubt | None:
    """Why reading can't go on at ``position`` in ``log``; ``None`` if it can.

    ``max_pause_ms`` is ``None`` for topics without tombstones. With nothing left to read, no pause is too long.
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
