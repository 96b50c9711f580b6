"""One input partition on its owner: fence, restore, then one unit of work after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from engine.batch import Batch
from engine.errors import Fatal, Gap, TakenOver
from engine.limits import Limits
from engine.observer import Observer
from engine.restore import read_positions, restore
from engine.unit_of_work import Output, commit, new_producer, sweep

log = structlog.get_logger("engine.partition")


#: What a cancelled partition may take, beside waiting for Kafka's last answer.
CLEAN_UP_SECONDS = 5.0

#: Records of the first unit of work, before it is known how long deciding takes.
FIRST_UNIT = 500


class Processor(Protocol):
    """What the application supplies for one input partition. Synchronous; no I/O but its local store."""

    def sources(self) -> Sequence[TopicPartition]:
        """Partitions of compacted topics to restore from, in that order."""

    def restore(self, records: Sequence[ConsumerRecord]) -> None:
        """Take records of a source; called repeatedly, in the order of the log."""

    def opened(self, position: int) -> None:
        """The state is complete up to the input offset ``position``, which comes next."""

    def decide(self, records: Sequence[ConsumerRecord]) -> Sequence[Output]:
        """One unit of work. What it changes stays pending: durable state is untouched until :meth:`committed`."""

    def committed(self) -> None:
        """The unit's transaction is durable: apply what is pending to the local store."""

    def close(self) -> None:
        """The partition is gone (or its state is void): release everything."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the partitions of one input topic have in common."""

    topic: str
    group_id: str
    transactional_id_prefix: str
    bootstrap: str
    make_processor: Callable[[int], Processor]
    on_fatal: Callable[[Fatal], None]
    observer: Observer
    limits: Limits


class Partition:
    """Runs one partition in a task of its own.

    Its queue is as short as the transport's window. ``None`` in it ends the task after the unit under way.
    """

    def __init__(self, site: Site, number: int) -> None:
        self.number = number
        self._site = site
        self._source = TopicPartition(site.topic, number)
        self._queue: asyncio.Queue[Batch | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._processor: Processor | None = None
        self._next = -1
        self._swept: set[tuple[str, int]] = set()
        self._accepting = False
        self._running = False
        self._most = FIRST_UNIT
        self._leaving = asyncio.Lock()

    @property
    def running(self) -> bool:
        """Fenced, restored and open for batches."""
        return self._running

    @property
    def position(self) -> int:
        """The next input offset; -1 before the first opening."""
        return self._next

    def start(self) -> None:
        """Begin to fence at once; batches may be submitted from now on."""
        self._queue = asyncio.Queue()
        self._accepting = True
        self._task = asyncio.create_task(self._run(), name=f"{self._site.topic}-{self.number}")

    def submit(self, batch: Batch) -> None:
        """Queue a batch. It never opens anything: a partition that is not owned (or has failed) drops it."""
        if self._accepting:
            self._queue.put_nowait(batch)
        else:
            batch.done()

    async def park(self) -> None:
        """Give up the partition, keep its state: finish the unit under way, drop what is queued, stop the producer.

        One that is still opening, or is too slow, is cancelled and loses its state. aiokafka swallows a cancellation
        now and then; the task then ends in good order as soon as it looks into its queue.
        """
        async with self._leaving:
            task = self._task
            if task is None:
                return
            self._accepting = False
            _drop_all(self._queue)
            self._queue.put_nowait(None)
            if self._running:
                await asyncio.wait({task}, timeout=self._site.limits.leave)
            task.cancel()
            await asyncio.wait({task}, timeout=self._site.limits.answer + CLEAN_UP_SECONDS)
            if not task.done():
                self._site.on_fatal(Fatal(f"partition {self.number} of {self._site.topic} does not stop"))
                return
            self._task = None

    async def close(self) -> None:
        """Give up the partition and its state."""
        await self.park()
        if self._task is None:
            self._discard()

    def _discard(self) -> None:
        if self._processor is not None:
            self._processor.close()
        self._processor, self._next = None, -1

    async def _run(self) -> None:
        again = True
        while again:
            again = False
            producer = new_producer(
                self._site.bootstrap, f"{self._site.transactional_id_prefix}-{self.number}", self._site.limits
            )
            try:
                again = await self._own(producer)
            except asyncio.CancelledError:
                self._discard()
                raise
            except Exception as error:  # noqa: BLE001  # the shell's edge: whatever it was, the process ends
                self._fail(error)
            finally:
                self._running = False
                await _stop(producer, self._site.limits.answer)

    def _fail(self, error: Exception) -> None:
        self._discard()
        self._accepting = False
        _drop_all(self._queue)
        if isinstance(error, Fatal):
            self._site.on_fatal(error)
            return
        if isinstance(error, ProducerFenced | InvalidProducerEpoch):
            fatal: Fatal = TakenOver(self._site.topic, self.number)
        else:
            fatal = Fatal(f"partition {self.number} of {self._site.topic}: {type(error).__name__}: {error}")
        fatal.__cause__ = error
        self._site.on_fatal(fatal)

    async def _own(self, producer: AIOKafkaProducer) -> bool:
        """Fence, open, work. True when the producer was idle for so long that it must be fenced anew."""
        await self._fence(producer)
        processor = await self._open(producer)
        self._running = True
        while True:
            try:
                async with asyncio.timeout(self._site.limits.refence):
                    batch = await self._queue.get()
            except TimeoutError:
                log.info("idle for long, fencing anew", topic=self._site.topic, partition=self.number)
                return True
            if batch is None:
                return False
            try:
                await self._unit(producer, processor, batch)
            finally:
                batch.done()

    async def _fence(self, producer: AIOKafkaProducer) -> None:
        """From here on nobody else can commit for this partition, and no older transaction of it is open."""
        site, clock = self._site, asyncio.get_running_loop().time
        began = clock()
        async with _limit(site.limits.fence, f"partition {self.number} of {site.topic} could not be fenced"):
            await producer.start()
        site.observer.fenced(site.topic, self.number, clock() - began)
        log.info("fenced", topic=site.topic, partition=self.number, seconds=round(clock() - began, 3))

    async def _open(self, producer: AIOKafkaProducer) -> Processor:
        """Find where to go on; keep the state if nobody committed in between, else rebuild it."""
        site, clock = self._site, asyncio.get_running_loop().time
        began = clock()
        processor = self._processor or site.make_processor(self.number)
        kept, self._processor = self._processor is not None, processor
        self._swept = set(processor.sources())
        async with _limit(site.limits.fence, f"partition {self.number} of {site.topic}: no offsets from Kafka"):
            await sweep(producer, self._swept)
            found = await read_positions(site.bootstrap, site.group_id, self._source, processor.sources())
        if kept and found.start == self._next:
            site.observer.kept(site.topic, self.number)
            log.info("kept", topic=site.topic, partition=self.number, next=self._next)
            return processor
        if kept:
            self._discard()
            processor = self._processor = site.make_processor(self.number)
        records = await restore(site.bootstrap, found.ends, processor.restore, site.limits.stall)
        processor.opened(found.start)
        self._next = found.start
        site.observer.restored(site.topic, self.number, records, clock() - began)
        log.info(
            "restored",
            topic=site.topic,
            partition=self.number,
            records=records,
            next=self._next,
            seconds=round(clock() - began, 3),
        )
        return processor

    async def _unit(self, producer: AIOKafkaProducer, processor: Processor, batch: Batch) -> None:
        """One batch: in one transaction, or in several when deciding it would hold up all other partitions for long.

        Records below the next offset were part of an earlier one.
        """
        site = self._site
        if batch.end <= self._next:
            return
        if batch.start > self._next:
            raise Gap(site.topic, self.number, self._next, batch.start)
        records = batch.records
        if batch.start < self._next:
            records = [record for record in records if record.offset >= self._next]
        while len(records) > self._most:
            part, records = records[: self._most], records[self._most :]
            await self._transaction(producer, processor, part, part[-1].offset + 1)
            if self._leaving.locked():  # the rest is the next owner's
                return
        await self._transaction(producer, processor, records, batch.end)

    async def _transaction(
        self, producer: AIOKafkaProducer, processor: Processor, records: Sequence[ConsumerRecord], end: int
    ) -> None:
        site, clock = self._site, asyncio.get_running_loop().time
        began = clock()
        outputs = processor.decide(records) if records else ()
        decided = clock()
        targets = {(output.topic, output.partition) for output in outputs} - self._swept
        if targets:
            about = f"no answer from Kafka about {', '.join(sorted({topic for topic, _ in targets}))}"
            async with _limit(site.limits.answer, f"partition {self.number} of {site.topic}: {about}"):
                await sweep(producer, targets)
            self._swept |= targets
        await commit(producer, self._source, end, site.group_id, outputs, site.limits)
        self._next = end
        if records:
            processor.committed()
            fits = int(len(records) * site.limits.decide / max(decided - began, 1e-6))
            self._most = max(1, min(fits, 2 * max(self._most, len(records))))
        site.observer.batch(site.topic, self.number, len(records), len(outputs), decided - began, clock() - decided)


def _drop_all(queue: asyncio.Queue[Batch | None]) -> None:
    while not queue.empty():
        batch = queue.get_nowait()
        if batch is not None:
            batch.done()


@asynccontextmanager
async def _limit(seconds: float, complaint: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Fatal(f"{complaint} within {seconds:g} s") from error


async def _stop(producer: AIOKafkaProducer, seconds: float) -> None:
    """Close the producer, whatever its state. An open transaction is ended by the next fence, or times out."""
    try:
        async with asyncio.timeout(seconds):
            await producer.stop()
    except TimeoutError:
        log.warning("a producer did not stop in time", seconds=seconds)
        await producer.client.close()
