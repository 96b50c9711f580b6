"""A fetched batch as it is passed to an agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from engine.kafka.record import KafkaRecord


@dataclass(slots=True, eq=False)
class Batch:
    """One fetched batch of one partition. Whoever takes it calls :meth:`done` or ``commit``, once.

    Until then it counts against the partition's window (no more is delivered), and a rebalance waits for it.
    ``records`` may be empty: then only the offsets up to ``end`` are to be committed.
    """

    topic: str
    partition: int
    records: Sequence[KafkaRecord]
    start: int
    end: int
    on_done: Callable[[], None]
    on_commit: Callable[[Mapping[TopicPartition, int]], None] | None = None
    """Commits offsets of any partitions, within about a second."""
    on_part: Callable[[], None] | None = None
    """Called after each unit of work on the batch but the last."""
    _finished: bool = field(default=False, init=False)

    def part(self) -> None:
        """Report that a part of the batch is done, so that a long batch does not look stuck."""
        if self.on_part is not None:
            self.on_part()

    def done(self) -> None:
        """Report that the batch is done (or dropped on purpose). Repeating it changes nothing."""
        if not self._finished:
            self._finished = True
            self.on_done()


def commit(batches: Sequence[Batch]) -> None:
    """Mark the batches of an at-least-once agent as done, when their outputs are acknowledged; their ends are committed
    soon.

    If a partition is revoked before that, its next owner reads the batch again.
    """
    commits = batches[0].on_commit
    if commits is not None:
        commits({TopicPartition(batch.topic, batch.partition): batch.end for batch in batches})
    for batch in batches:
        batch.done()
