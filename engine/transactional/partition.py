"""One input partition on its owner: fence, restore, then one unit of work after another."""

from __future__ import annotations

import asyncio

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from engine.kafka.broker_errors import fatal
from engine.kafka.errors import Fatal, TakenOver
from engine.kafka.time_limit import ended, limited
from engine.transactional.batch import Batch
from engine.transactional.partition_state import PartitionConfig, PartitionState
from engine.transactional.transaction import new_producer

log = structlog.get_logger("engine.transactional.partition")


#: Seconds that a cancelled partition may take, beside waiting for Kafka's last answer.
CLEAN_UP_SECONDS = 5.0


class Partition:
    """Runs one partition in a task of its own.

    Its queue is as short as the transport's window. ``None`` in it ends the task after the unit under way.
    """

    def __init__(self, config: PartitionConfig, number: int) -> None:
        self.number = number
        self._config = config
        self._state = PartitionState(config, number)
        self._queue: asyncio.Queue[Batch | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._accepting = False
        self._running = False
        self._leaving = asyncio.Lock()

    @property
    def running(self) -> bool:
        """Whether it is fenced, restored and open for batches."""
        return self._running

    @property
    def position(self) -> int:
        """The next input offset; -1 before the first opening."""
        return self._state.position

    def start(self) -> None:
        """Start the task, which fences at once; batches may be submitted from now on."""
        self._queue = asyncio.Queue()
        self._accepting = True
        self._task = asyncio.create_task(self._run(), name=f"{self._config.topic}-{self.number}")

    def submit(self, batch: Batch) -> None:
        """Queue a batch. A partition that is not owned (or has failed) drops it; submitting never opens a partition."""
        if self._accepting:
            self._queue.put_nowait(batch)
        else:
            batch.done()

    async def park(self) -> None:
        """Give up the partition, but keep its state: finish the current unit of work, drop queued batches, stop the
        producer.

        One that is still opening, or is too slow, is cancelled and loses its state. aiokafka swallows a cancellation
        now and then; then the task ends normally when it next reads its queue.
        """
        async with self._leaving:
            task = self._task
            if task is None:
                return
            self._accepting = False
            _drop_all(self._queue)
            self._queue.put_nowait(None)
            if self._running:
                await ended({task}, self._config.limits.leave)
            task.cancel()
            if not await ended({task}, self._config.limits.answer + CLEAN_UP_SECONDS):
                self._config.on_fatal(Fatal(f"partition {self.number} of {self._config.topic} does not stop"))
                return
            self._task = None

    async def close(self) -> None:
        """Give up the partition and its state."""
        await self.park()
        if self._task is None:
            self._state.discard()

    async def _run(self) -> None:
        again = True
        while again:
            again = False
            producer = new_producer(
                self._config.bootstrap, f"{self._config.transactional_id_prefix}-{self.number}", self._config.limits
            )
            try:
                again = await self._own(producer)
            except asyncio.CancelledError:
                self._state.discard()
                raise
            except Exception as error:  # noqa: BLE001  # the shell's edge: whatever it was, the process ends
                self._fail(error)
            finally:
                self._running = False
                await _stop(producer, self._config.limits.answer)

    def _fail(self, error: Exception) -> None:
        self._state.discard()
        self._accepting = False
        _drop_all(self._queue)
        if isinstance(error, ProducerFenced | InvalidProducerEpoch):
            taken = TakenOver(self._config.topic, self.number)
            taken.__cause__ = error
            error = taken
        self._config.on_fatal(fatal(f"partition {self.number} of {self._config.topic}", error))

    async def _own(self, producer: AIOKafkaProducer) -> bool:
        """Fence, open, work. True when the producer was idle for so long that it must be fenced again."""
        await self._fence(producer)
        await self._state.open(producer)
        self._running, limits = True, self._config.limits
        while True:
            try:
                async with asyncio.timeout(limits.offsets if self._state.offset_commit_due else limits.refence):
                    batch = await self._queue.get()
            except TimeoutError:
                if self._state.offset_commit_due:
                    await self._state.commit_position(producer)
                    continue
                log.info(
                    "partition was idle for long, fencing it again", topic=self._config.topic, partition=self.number
                )
                return True
            if batch is None:
                await self._state.commit_position(producer)
                return False
            try:
                await self._state.take(producer, batch, self._leaving.locked)
            finally:
                batch.done()

    async def _fence(self, producer: AIOKafkaProducer) -> None:
        """Start the producer: nobody else can commit for this partition then, and no older transaction is open."""
        config, clock = self._config, asyncio.get_running_loop().time
        began = clock()
        async with limited(config.limits.fence, f"partition {self.number} of {config.topic} could not be fenced"):
            await producer.start()
        config.observer.fenced(config.topic, self.number, clock() - began)
        log.info("partition fenced", topic=config.topic, partition=self.number, seconds=round(clock() - began, 3))


def _drop_all(queue: asyncio.Queue[Batch | None]) -> None:
    while not queue.empty():
        batch = queue.get_nowait()
        if batch is not None:
            batch.done()


async def _stop(producer: AIOKafkaProducer, seconds: float) -> None:
    """Close the producer, whatever its state. An open transaction is ended by the next fence, or times out."""
    try:
        async with asyncio.timeout(seconds):
            await producer.stop()
    except TimeoutError:
        log.warning("a producer did not stop in time", seconds=seconds)
        await producer.client.close()
