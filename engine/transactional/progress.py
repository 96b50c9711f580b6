"""Progress records: the next input offset of a partition on a compacted topic, written in each unit's own transaction.

The group's committed offset says the same, but Kafka forgets it when the group was inactive for long, and it does not
identify the topic: a recreated one begins at 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from engine.kafka.errors import Permanent
from engine.kafka.mark import is_ours
from engine.kafka.reader import reader
from engine.kafka.record import KafkaRecord

POLL_MS = 500
TAIL = 200
"""Offsets at a partition's end that are searched for the last record (one writer, one key) before all are."""


_END = 2**63
"""No offset is larger: Kafka has 64 bits for them."""


@dataclass(frozen=True, slots=True)
class ProgressLog:
    """Where one stage writes its progress: input partition n in partition ``first`` + n of ``topic``, key
    ``<stage>/<n>``.

    Nobody else writes to these partitions.
    """

    topic: str
    stage: str
    first: int = 0

    def place(self, number: int) -> TopicPartition:
        """The partition for the progress of input partition ``number``."""
        return TopicPartition(self.topic, self.first + number)

    def key(self, number: int) -> bytes:
        """The key for the progress of input partition ``number``."""
        return f"{self.stage}/{number}".encode()


@dataclass(frozen=True, slots=True)
class ReachedInput:
    """A progress record: the input topic with this id is processed up to ``offset``, which comes next.

    ``seen``: the offset up to which each partition of the state was searched for foreign records, by ``<topic
    id>/<n>``; those below it were reported.
    """

    topic_id: str
    offset: int
    seen: Mapping[str, int] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The record's value."""
        return json.dumps({"topicId": self.topic_id, "offset": self.offset, "seen": dict(self.seen)}).encode()

    @classmethod
    def decode(cls, value: bytes | None) -> ReachedInput | None:
        """Decodes what ``encode`` wrote; ``None`` for anything else."""
        try:
            told = json.loads(value or b"")
            reached = cls(str(told["topicId"]), told["offset"], told.get("seen", {}))
            offsets = [reached.offset, *reached.seen.values()]
            return reached if all(type(offset) is int and 0 <= offset < _END for offset in offsets) else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


class WrittenBefore(Permanent):
    """The bus's own data lacks the mark: an earlier version wrote it, and all of it would count as foreign."""

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        super().__init__(
            f"the record {topic}/{partition}/{offset} is the bus's own, and has no header v: a version before 0.1.0 "
            "wrote these topics, and this one can't read them. Use a Kafka (or a data directory) "
            "without them, and let the departments publish again"
        )


def next_offset(committed: int | None, reached: ReachedInput | None, topic_id: str) -> int:
    """The next offset in the topic with this id: from progress record or committed offset, whichever is larger."""
    if reached is not None and reached.topic_id != topic_id:
        return 0
    return max(committed or 0, reached.offset if reached else 0)


async def read_progress(bootstrap: str, place: TopicPartition, key: bytes) -> ReachedInput | None:
    """The latest committed record of ``key``. Call it after the fence. Foreign records are skipped.

    Raises:
        KafkaError: the broker could not be read.
        Newer: a later version of the bus wrote it.
        WrittenBefore: there is one, and none with the mark.
    """
    async with reader(bootstrap, isolation_level="read_committed", fetch_max_wait_ms=100) as consumer:
        consumer.assign([place])
        begin = (await consumer.beginning_offsets([place]))[place]
        end = (await consumer.end_offsets([place]))[place]
        tail = max(begin, end - TAIL)
        found = await _latest(consumer, place, key, tail, end)
        if found.reached is None and tail > begin:
            found = await _latest(consumer, place, key, begin, end)
        if found.reached is None and found.unmarked is not None:
            raise WrittenBefore(place.topic, place.partition, found.unmarked)
        return found.reached


class _Latest(NamedTuple):
    reached: ReachedInput | None = None
    unmarked: int | None = None
    """Offset of a record that only lacks the mark."""


async def _latest(consumer: AIOKafkaConsumer, place: TopicPartition, key: bytes, start: int, end: int) -> _Latest:
    found = _Latest()
    consumer.seek(place, start)
    while await consumer.position(place) < end:
        for records in (await consumer.getmany(place, timeout_ms=POLL_MS)).values():
            for record in records:
                found = _after(found, record, key)
            del records  # their memory is reserved, and the next fetch may wait for it
    return found


def _after(found: _Latest, record: KafkaRecord, key: bytes) -> _Latest:
    if not is_ours(record):
        unmarked = record.key == key and ReachedInput.decode(record.value) is not None
        return found._replace(unmarked=record.offset) if unmarked else found
    reached = ReachedInput.decode(record.value) if record.key == key else None
    return found if reached is None else found._replace(reached=reached)
