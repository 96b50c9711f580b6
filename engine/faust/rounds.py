"""What Faust delivers to an agent, as batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import faust
from faust.types import TP

from engine.faust.partition_buffer import Fetched, Round
from engine.kafka.errors import Gap
from engine.transactional.batch import Batch


class Unread(faust.Schema[Any, Any]):
    """A schema without codecs: the round is passed on as it is, keys and values in it stay bytes."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """A round has no key."""
        return None

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """The round itself."""
        return message.value


async def rounds(stream: Any) -> AsyncIterator[list[Batch]]:
    """The batches of an agent's stream; those fetched together come together, at most one of a partition.

    Faust's message is acknowledged when the last batch of a round is done. After each seek a partition's batches follow
    each other without a gap, from the first one on, whatever Faust dropped.

    Raises:
        Gap: they do not; going on would lose records.
    """
    consumer = stream.app.consumer
    async for event in stream.noack().events():
        handed: Round = event.message.value
        for (topic, partition), fetched in handed.items():
            buffer = fetched.buffer
            if buffer.delivered is not None and fetched.start != buffer.delivered:
                raise Gap(topic, partition, buffer.delivered, fetched.start)
            buffer.delivered = fetched.end
        acknowledged = _Countdown(len(handed), event.ack)
        yield [_batch(consumer, tp, fetched, acknowledged) for tp, fetched in handed.items()]


@dataclass(slots=True)
class _Countdown:
    left: int
    at_zero: Callable[[], object]

    def one(self) -> None:
        self.left -= 1
        if not self.left:
            self.at_zero()


def _batch(consumer: Any, tp: TP, fetched: Fetched, acknowledged: _Countdown) -> Batch:
    def on_done() -> None:
        fetched.release()
        fetched.buffer.done += 1
        acknowledged.one()
        consumer.room()

    def on_part() -> None:
        fetched.buffer.parts += 1

    return Batch(*tp, fetched.records, fetched.start, fetched.end, on_done, consumer.commit_offsets, on_part)
