"""A fetched batch in the hands of an agent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import faust
from faust.types import TP

from engine.errors import Gap
from engine.lane import Fetched, Round
from engine.record import KafkaRecord


@dataclass(slots=True, eq=False)
class Batch:
    """One fetched batch of one partition. Whoever takes it calls :meth:`done` or :func:`commit`, once.

    Until then it counts against the partition's window (no more is fetched), and a rebalance waits for it.
    ``records`` may be empty: then only the offsets up to ``end`` are to be committed.
    """

    topic: str
    partition: int
    records: Sequence[KafkaRecord]
    start: int
    end: int
    on_done: Callable[[], None]
    on_commit: Callable[[Mapping[TP, int]], Awaitable[object]] | None = None
    """Commits offsets of any partitions."""
    round: Round | None = None
    """It came together with others, of the same time: are any still missing?"""
    _finished: bool = field(default=False, init=False)

    def done(self) -> None:
        """Say that the batch is dealt with (or dropped on purpose). Repeating it changes nothing."""
        if not self._finished:
            self._finished = True
            self.on_done()


async def commit(batches: Sequence[Batch]) -> None:
    """Commit the ends of these batches for an at-least-once agent whose outputs are acknowledged; then they are done.

    When a partition was taken away meanwhile, its next owner sees the batch again.

    Raises:
        TimeoutError: Kafka did not answer.
        KafkaError: Kafka refused.
    """
    commits = batches[0].on_commit
    if commits is not None:
        await commits({TP(batch.topic, batch.partition): batch.end for batch in batches})
    for batch in batches:
        batch.done()


class Unread(faust.Schema[Any, Any]):
    """Faust's codecs see nothing of a record: the batch is passed on as it is, keys and values stay bytes in it."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """Batches have no key."""
        return None

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """The :class:`Fetched` itself."""
        return message.value


async def batches(stream: Any) -> AsyncIterator[Batch]:
    """The batches of an agent's stream, without Faust's acknowledgement on the next iteration.

    Within one assignment batches of a partition follow each other without a hole, whatever Faust dropped.

    Raises:
        Gap: they do not; going on would lose records.
    """
    consumer = stream.app.consumer
    async for event in stream.noack().events():
        fetched: Fetched = event.message.value
        lane, topic, partition = fetched.lane, event.message.topic, event.message.partition
        if lane.delivered is not None and fetched.start != lane.delivered:
            raise Gap(topic, partition, lane.delivered, fetched.start)
        lane.delivered = fetched.end
        if fetched.round is not None:
            fetched.round.missing -= 1
        yield _batch(consumer, event, fetched)


def _batch(consumer: Any, event: Any, fetched: Fetched) -> Batch:
    message = event.message

    def on_done() -> None:
        fetched.lane.done += 1
        event.ack()
        consumer.room()

    place, records = (message.topic, message.partition), fetched.records
    return Batch(*place, records, fetched.start, fetched.end, on_done, consumer.commit_offsets, fetched.round)
