"""Faust transport ``cxbus://``: one Faust message per fetched batch of a partition, offsets committed by the agents.

What differs from Faust's aiokafka transport, and why, stands at each override. Everything Faust does per record (a
coroutine, an acknowledgement, a gap tree) happens per batch here: fifty times the throughput.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from faust.types.tuples import ack_lock
from mode.utils.futures import notify

from engine.errors import Fatal
from engine.fetching import ConsumerThread
from engine.host import Host
from engine.lane import Fetched, Progress


class InOrder:
    """Consumer scheduler: batches in the order in which they were taken (Faust's goes round-robin over records)."""

    def iterate(self, records: Mapping[TP, list[Fetched]]) -> Iterator[tuple[TP, Fetched]]:
        """Each batch with its partition."""
        for tp, batches in records.items():
            for batch in batches:
                yield tp, batch


class NoReadOffsets(dict[TP, int | None]):
    """Faust drops what lies below its own read offset; batches are judged by their lane and by the next offset."""

    def __missing__(self, tp: TP) -> None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        """Not kept."""

    def update(self, *_args: Any, **_kwargs: Any) -> None:
        """Not kept."""


class BatchConsumer(driver.Consumer):
    """Faust's consumer as seen from the main thread."""

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._host = cast("Host", self.app)
        self.scheduler = cast("Any", InOrder())
        self._read_offset = NoReadOffsets()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Fetched) -> ConsumerMessage:
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=record.end - 1,
            timestamp=record.records[-1].timestamp / 1000.0 if record.records else 0.0,
            timestamp_type=1,
            headers=None,
            key=None,
            value=cast("bytes", record),
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def ack(self, message: Message) -> bool:
        """Only what ends a rebalance's ``wait_empty``: no offsets are tracked."""
        with ack_lock:
            if message.acked:
                return False
            message.acked = True
            self._unacked_messages.discard(message)
            notify(self._waiting_for_ack)
            return True

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Nothing: agents commit by themselves, after their outputs are durable."""
        return False

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> bool:
        """Commit for an at-least-once agent; false when a partition was taken away (it will be read again).

        Raises:
            TimeoutError: no answer in time.
            KafkaError: refused for another reason than a rebalance.
        """
        return await self._thread.commit_offsets(offsets)

    def progress(self) -> dict[TP, Progress]:
        """How far each partition is that has been fetched from."""
        return self._thread.progress()

    def room(self) -> None:
        """A batch was done: its partition may be fetched again."""
        self._thread.room()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Owners finish their unit of work before Faust waits for open batches (without a limit of its own).

        A displaced static member ends: joining again, it would displace the other one, and so on for ever.
        """
        if revoked and self._thread.displaced():
            self._host.fatal(
                Fatal(f"Kafka dropped worker {self._host.instance}: it was frozen, or its id is used twice")
            )
            await asyncio.Event().wait()  # until the worker stops: aiokafka would join as soon as this returns
        for listener in self._host.listeners:
            await listener.revoked({tp.partition for tp in revoked if tp.topic == listener.topic})
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Owners start to fence at once; no heartbeat is sent until this returns, so they go on in the background."""
        for listener in self._host.listeners:
            await listener.assigned({tp.partition for tp in assigned if tp.topic == listener.topic})
        await super().on_partitions_assigned(assigned, generation_id)


class Transport(driver.Transport):
    """See the module. Entry point group ``faust.transports``, name ``cxbus``."""

    Consumer: ClassVar[Any] = BatchConsumer
