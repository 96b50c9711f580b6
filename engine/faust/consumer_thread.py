"""The consumer's thread: fetches and sends heartbeats while the main thread computes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from math import inf
from typing import Any, cast

import aiokafka
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.threads import QueueServiceThread
from mode.utils.futures import notify

from engine.faust.assignor import StickyByTopic
from engine.faust.host import Host
from engine.faust.partition_buffer import Fetched, PartitionBuffer, Progress, Round
from engine.kafka.privates.consumer import (
    Fetches,
    client_of,
    committed_offsets,
    displaced,
    is_assigned,
    outside,
    will_leave,
)
from engine.kafka.time_limit import time_limit

COMMIT_SECONDS = 30.0
LEAVE_SECONDS = 2.0
HELD_POLL_SECONDS = 0.05
REFILL_SECONDS = 0.1
"""How often fetched records are moved into the buffers, even if nothing signals that there is room."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Owns the aiokafka consumer."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._host = cast("Host", self.app)
        self._buffers: dict[TP, PartitionBuffer] = {}
        self._news: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._filling: asyncio.Task[None] | None = None
        self._held_since = inf

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        """Faust hard-codes read_uncommitted, round-robin and 1.5 s of fetch wait."""
        conf, fetch = self.app.conf, self._host.fetch
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=self._host.instance,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[StickyByTopic()],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=fetch.partition_bytes,
            fetch_max_wait_ms=fetch.max_wait_ms,
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 0) * 1000),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def on_thread_stop(self) -> None:
        """Leave the group within a time limit: aiokafka would wait for the end of a rebalance under way.

        A static member does not leave by itself. One that failed is back in a moment and stays a member; the partitions
        of one that was asked to stop would wait for the session to time out.
        """
        await QueueServiceThread.on_thread_stop(self)
        if self._consumer is not None:
            if self._host.failure is None:
                will_leave(self._consumer)
            stopping = asyncio.create_task(self._consumer.stop())
            done, _ = await asyncio.wait({stopping}, timeout=LEAVE_SECONDS)
            if not done:
                stopping.cancel()
                await client_of(self._consumer).close()

    def close(self) -> None:
        """Does nothing: the thread closes its connections when it stops.

        Faust has the main thread close the connections when a rebalance meets a worker that ends. They belong to this
        thread's event loop: the process crashed now and then, and did not leave the group.
        """

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109  # Faust's signature
        max_records: int | None = None,  # Faust's signature, too; each batch has its own limit
    ) -> dict[TP, list[Round]]:
        """Wait up to ``timeout`` seconds for batches of active partitions whose window has room."""
        fetches = Fetches(consumer)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (timeout or 0)
        if self._filling is None:
            self._filling = asyncio.create_task(self._fill_buffers(fetches))
        with fetches.asking():
            while self.consumer.flow_active:
                fetches.check()
                if self._filling.done():
                    self._filling.result()  # raises authorisation errors
                self._news = loop.create_future()
                taken = self._take(fetches, active_partitions, loop.time())
                if taken:
                    notify(self._room)
                left = deadline - loop.time()
                if taken or left <= 0:
                    return taken
                await asyncio.wait(
                    [self._news, self._filling],
                    timeout=left if self._held_since == inf else min(left, HELD_POLL_SECONDS),
                    return_when=asyncio.FIRST_COMPLETED,
                )
        return {}

    async def _fill_buffers(self, fetches: Fetches) -> None:
        """Take what aiokafka has fetched as soon as it is there, whether the main thread asks for it or not.

        aiokafka fetches from no partition of a broker while fetched records of another one of its partitions wait to be
        taken: if they were taken only when the main thread asks, it would get what was there at its previous request.
        """
        loop = asyncio.get_running_loop()
        while not fetches.closed:
            waiter = fetches.next()
            if self.consumer.flow_active:
                await self._fill(fetches)
            news = {waiter}
            if fetches.waiting:  # no room in their buffers, or no memory
                self._room = loop.create_future()
                news.add(self._room)
            await asyncio.wait(news, timeout=REFILL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if waiter.done():
                waiter.result()
            waiter.cancel()
            await asyncio.sleep(self._host.fetch.gather)

    async def _fill(self, fetches: Fetches) -> None:
        """Move fetched records into buffers with room. Nothing else runs between reading a position and the move."""
        limits = self._host.fetch
        for tp in fetches.waiting:
            if fetches.reassigning:
                return
            state = fetches.read_position(tp)
            if state is None:
                continue
            before = state.position
            buffer = self._buffers.setdefault(tp, PartitionBuffer(before, before))
            room = limits.records - len(buffer.held)
            if room > 0 and buffer.weight < limits.held_bytes and buffer.joins(before):
                taken, weight = await fetches.take(tp, room)
                if state.position > before:  # else there was no memory to decompress it
                    buffer.fill(before, state.position, taken, weight + taken.weight, taken.reservation)
                    notify(self._news)

    def _take(self, fetches: Fetches, active: Collection[TP], now: float) -> dict[TP, list[Round]]:
        """At most one batch of each partition whose window has room."""
        if fetches.reassigning:
            return {}
        buffers: dict[TP, PartitionBuffer] = {}
        complete = inf
        for tp in tuple(active):  # the main thread may change it during the loop
            state = fetches.read_position(tp)
            if state is None:
                continue
            buffer = self._buffers.setdefault(tp, PartitionBuffer(state.position, state.position))
            if buffer.in_flight < self._host.fetch.window:
                buffers[tp] = buffer
            if tp.topic in self._host.timely and not fetches.waits_for_room(tp):
                complete = min(complete, buffer.complete_until(state.lso is None or state.position < state.lso))
        return self._next_batches(buffers, complete, now)

    def _next_batches(self, buffers: Mapping[TP, PartitionBuffer], until: float, now: float) -> dict[TP, list[Round]]:
        """One batch of each buffer; from buffers in the order of broker time only records before ``until`` (ms)."""
        timely = {tp for tp, buffer in buffers.items() if buffer.held and tp.topic in self._host.timely}
        if timely and now - self._held_since > self._host.fetch.order_wait:
            until = max(until, min(buffers[tp].held[0].timestamp for tp in timely))
        rounds: dict[str, dict[TP, Fetched]] = {}
        for tp, buffer in buffers.items():
            batch = buffer.next_batch(until if tp in timely else inf)
            if batch is not None:
                agent = "" if tp.topic in self._host.timely else tp.topic  # all timely topics are one agent's
                rounds.setdefault(agent, {})[tp] = batch
        if not timely or rounds.get("", {}).keys() & timely:
            self._held_since = inf
        else:
            self._held_since = min(self._held_since, now)
        return {next(iter(round)): [round] for round in rounds.values()}

    def room(self) -> None:
        """Notify the thread that a batch is done and its memory is free. Called from the main thread."""
        with suppress(RuntimeError):  # the thread's loop is closed: the worker is stopping
            self.thread_loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        notify(self._news)
        notify(self._room)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to the committed offsets, else to the beginning: aiokafka would not move a partition without one."""
        return cast("Mapping[TP, int]", await self.call_thread(self._rewind))

    async def _rewind(self) -> Mapping[TP, int]:
        """Positions and buffers are reset together: a buffer reset alone would skip the records that it held.

        At a rebalance Faust calls this twice, perhaps concurrently: the later call ends when records are read again.
        """
        consumer = self._ensure_consumer()
        told = await committed_offsets(consumer, consumer.assignment())
        committed = {tp: max(0, told[tp].offset) if tp in told else 0 for tp in consumer.assignment()}
        self._buffers.clear()
        self._held_since = inf
        for tp, offset in committed.items():
            if offset:
                consumer.seek(tp, offset)
        fresh = [tp for tp, offset in committed.items() if not offset]
        if fresh:
            await consumer.seek_to_beginning(*fresh)
        if committed:
            begins = await consumer.beginning_offsets(list(committed))
            owned = {listener.topic for listener in self._host.listeners}  # they keep their own progress
            for tp, offset in committed.items():
                if tp.topic not in owned and offset and begins[tp] > offset:
                    self._host.lost(tp.topic, tp.partition, begins[tp] - offset)
        return committed

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> None:
        """Commit the offsets of partitions that are still owned; the next owner of the others reads their records
        again.

        Raises:
            TimeoutError: no answer in time.
            KafkaError: refused for another reason than a rebalance.
        """
        await self.call_thread(self._commit_owned, offsets)

    async def _commit_owned(self, offsets: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        owned = {
            driver.ensure_aiokafka_TP(tp): OffsetAndMetadata(offset, "")
            for tp, offset in offsets.items()
            if tp in consumer.assignment()
        }
        with suppress(CommitFailedError, IllegalStateError):  # rebalanced
            async with time_limit(COMMIT_SECONDS):
                if owned:
                    await consumer.commit(owned)

    def progress(self) -> dict[TP, Progress]:
        """The progress of each partition that has been fetched from."""
        consumer, found = self._consumer, {}
        for tp, buffer in list(self._buffers.items()):
            if consumer is not None and is_assigned(consumer, tp):
                end = consumer.last_stable_offset(tp)
                lag = 0 if end is None else max(0, end - buffer.start)
                found[tp] = Progress(buffer.done + buffer.parts, buffer.in_flight, lag)
        return found

    def outside(self) -> str | None:
        """Why this is not a member of the group, in words; ``None`` if it is one. Called from other threads."""
        consumer = self._consumer
        if consumer is None:
            return "not yet a member of the consumer group"
        return outside(consumer)

    def given(self, topic: str) -> set[int]:
        """The partitions of ``topic`` that are assigned. Called from other threads."""
        consumer = self._consumer
        return set() if consumer is None else {tp.partition for tp in consumer.assignment() if tp.topic == topic}

    def displaced(self) -> bool:
        """Whether Kafka no longer knows this static member: it was frozen, or another process uses its id."""
        consumer = self._consumer
        return consumer is not None and displaced(consumer)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Does nothing: Faust would look for its own commits and complain about their absence."""
