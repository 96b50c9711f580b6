"""Faust transport ``cxbus://``: one Faust message for all batches fetched together, offsets committed by the agents.

Each override says what differs from Faust's aiokafka transport, and why. Everything Faust does per record (a coroutine,
an acknowledgement, tracking of gaps) happens per message here: fifty times the throughput.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar, cast

import uvloop
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from faust.types.tuples import ack_lock
from mode import Service
from mode.utils.futures import notify

from engine.faust.consumer_thread import LEAVE_SECONDS, ConsumerThread
from engine.faust.host import Host
from engine.faust.partition_buffer import Progress, Round
from engine.kafka.broker_errors import fatal
from engine.kafka.errors import Fatal

OFFSET_SECONDS = 1.0


class InOrder:
    """Consumer scheduler: rounds in the order in which they were fetched (Faust's goes round-robin over records)."""

    def iterate(self, records: Mapping[TP, list[Round]]) -> Iterator[tuple[TP, Round]]:
        """Each round, keyed by the first of its partitions."""
        for tp, rounds in records.items():
            for one in rounds:
                yield tp, one


class NoReadOffsets(dict[TP, int | None]):
    """Disables Faust's read offsets, below which it drops records; the buffer's next offset is checked instead."""

    def __missing__(self, tp: TP) -> None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        """Does nothing."""

    def update(self, *_args: Any, **_kwargs: Any) -> None:
        """Does nothing."""


class BatchConsumer(driver.Consumer):
    """Faust's consumer, as the main thread uses it."""

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._host = cast("Host", self.app)
        self.scheduler = cast("Any", InOrder())
        self._read_offset = NoReadOffsets()
        self._noted: dict[TP, int] = {}

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon, thread_loop=uvloop.new_event_loop())

    def _to_message(self, tp: TP, record: Round) -> ConsumerMessage:
        first = record[tp]
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=first.end - 1,
            timestamp=first.records[-1].timestamp / 1000.0 if first.records else 0.0,
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
        """Only ends a rebalance's ``wait_empty``: no offsets are tracked."""
        with ack_lock:
            if message.acked:
                return False
            message.acked = True
            self._unacked_messages.discard(message)
            notify(self._waiting_for_ack)
            return True

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Does nothing: agents commit by themselves, after their outputs are durable."""
        return False

    def commit_offsets(self, offsets: Mapping[TP, int]) -> None:
        """Commit for an at-least-once agent, within about a second: that much is read again after a crash."""
        self._noted |= offsets

    @Service.task
    async def _commit_noted(self) -> None:
        while not self.should_stop:
            await self.sleep(OFFSET_SECONDS)
            await self._commit_now()

    async def _commit_now(self) -> None:
        """Commit the noted offsets. A failure ends the process, unless the partition is no longer owned."""
        noted, self._noted = self._noted, {}
        if noted:
            try:
                await self._thread.commit_offsets(noted)
            except (KafkaError, TimeoutError) as error:
                self._host.fatal(fatal("committing offsets", error))

    async def on_stop(self) -> None:
        """Commits the last offsets before the thread ends; a worker that failed leaves them to the next owner."""
        await super().on_stop()
        if self._host.failure is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._commit_now(), LEAVE_SECONDS)

    def progress(self) -> dict[TP, Progress]:
        """The progress of each partition that has been fetched from."""
        return self._thread.progress()

    def outside(self) -> str | None:
        """Why this worker is not a member of its group, in words; ``None`` if it is one."""
        return self._thread.outside()

    def given(self, topic: str) -> set[int]:
        """The partitions of ``topic`` that are assigned to this worker."""
        return self._thread.given(topic)

    def room(self) -> None:
        """A batch is done: its partition may be fetched again."""
        self._thread.room()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Owners finish their unit of work before Faust waits for open batches (without a limit of its own).

        A displaced static member ends: if it joined again, it would displace the other one, and so on for ever.
        """
        if revoked and self._thread.displaced():
            self._host.fatal(
                Fatal(
                    f"Kafka removed worker {self._host.instance} from the group: it was frozen, or its id is used twice"
                )
            )
            await asyncio.Event().wait()  # until the worker stops: aiokafka would join as soon as this returns
        for listener in self._host.listeners:
            await listener.revoked({tp.partition for tp in revoked if tp.topic == listener.topic})
        await super().on_partitions_revoked(revoked)
        await self._commit_now()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Owners start to fence at once, in the background: no heartbeat is sent until this returns."""
        self._noted.clear()
        for listener in self._host.listeners:
            await listener.assigned({tp.partition for tp in assigned if tp.topic == listener.topic})
        await super().on_partitions_assigned(assigned, generation_id)


class Transport(driver.Transport):
    """The transport of this module. Entry point group ``faust.transports``, name ``cxbus``."""

    Consumer: ClassVar[Any] = BatchConsumer
