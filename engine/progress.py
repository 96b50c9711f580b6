"""How far a partition has been worked through, on a compacted topic: written in each unit's own transaction.

The group's committed offset says the same, but Kafka forgets it when the group was away for long, and it does not say
of which topic: one that was deleted and made again begins at 0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from engine.reading import reader
from engine.record import KafkaRecord

POLL_MS = 500
TAIL = 200
"""The last record of a partition with one writer and one key lies among so many offsets, or all must be read."""


@dataclass(frozen=True, slots=True)
class ProgressLog:
    """Where one stage writes: input partition n in partition ``first`` + n of ``topic``, key ``<stage>/<n>``.

    Nobody else writes to these partitions.
    """

    topic: str
    stage: str
    first: int = 0

    def place(self, number: int) -> TopicPartition:
        """Where input partition ``number`` writes."""
        return TopicPartition(self.topic, self.first + number)

    def key(self, number: int) -> bytes:
        """Under which key."""
        return f"{self.stage}/{number}".encode()


@dataclass(frozen=True, slots=True)
class Reached:
    """All of the input topic with this id is done up to ``offset``, which comes next."""

    topic_id: str
    offset: int

    def encode(self) -> bytes:
        """As the record's value."""
        return json.dumps({"topicId": self.topic_id, "offset": self.offset}).encode()

    @classmethod
    def decode(cls, value: bytes) -> Reached:
        """What ``encode`` wrote."""
        told = json.loads(value)
        return cls(told["topicId"], told["offset"])


def next_offset(committed: int | None, reached: Reached | None, topic_id: str) -> int:
    """Where to go on in the topic with this id: what was reached or committed, whichever is more."""
    if reached is not None and reached.topic_id != topic_id:
        return 0
    return max(committed or 0, reached.offset if reached else 0)


async def read_progress(bootstrap: str, place: TopicPartition, key: bytes) -> Reached | None:
    """The latest committed record of ``key``. Call it after the fence.

    Raises:
        KafkaError: the broker could not be read.
    """
    async with reader(bootstrap, isolation_level="read_committed", fetch_max_wait_ms=100) as consumer:
        consumer.assign([place])
        begin = (await consumer.beginning_offsets([place]))[place]
        end = (await consumer.end_offsets([place]))[place]
        tail = max(begin, end - TAIL)
        found = await _latest(consumer, place, key, tail, end)
        if found is None and tail > begin:
            found = await _latest(consumer, place, key, begin, end)
        return None if found is None or found.value is None else Reached.decode(found.value)


async def _latest(
    consumer: AIOKafkaConsumer, place: TopicPartition, key: bytes, start: int, end: int
) -> KafkaRecord | None:
    found = None
    consumer.seek(place, start)
    while await consumer.position(place) < end:
        for records in (await consumer.getmany(place, timeout_ms=POLL_MS)).values():
            found = next((record for record in reversed(records) if record.key == key), found)
    return found
