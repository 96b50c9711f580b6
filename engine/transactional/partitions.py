"""All partitions of one input topic that this worker owns, each with its own transactional producer and state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from engine.kafka.errors import Fatal
from engine.kafka.limits import Limits
from engine.transactional.batch import Batch
from engine.transactional.observer import Observer, SilentObserver
from engine.transactional.partition import Partition
from engine.transactional.partition_state import PartitionConfig, Processor
from engine.transactional.progress import ProgressLog


class TransactionalPartitions:
    """Exactly once from one input topic to the outputs of its processors.

    The transactional id of a partition is ``<transactional_id_prefix>-<partition>``. ``progress`` is where it writes
    its progress records. ``on_fatal`` is called when the process must end. Register it with
    :meth:`Application.register`; the agent of the topic then only passes its batches to :meth:`submit`.
    """

    def __init__(
        self,
        *,
        topic: str,
        group_id: str,
        transactional_id_prefix: str,
        bootstrap: str,
        progress: ProgressLog,
        make_processor: Callable[[int], Processor],
        on_fatal: Callable[[Fatal], None],
        observer: Observer | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.topic = topic
        self.progress_topic = progress.topic
        self._config = PartitionConfig(
            topic,
            group_id,
            transactional_id_prefix,
            bootstrap,
            progress,
            make_processor,
            on_fatal,
            observer or SilentObserver(),
            limits or Limits(),
        )
        self._partitions: dict[int, Partition] = {}
        self._closed = False
        self.assignment_known = False
        """Whether the group has made an assignment to this worker yet."""

    async def assigned(self, partitions: Iterable[int]) -> None:
        """Own exactly these partitions: fence all of them at once, in the background.

        One that was revoked and comes back keeps its state if its progress shows that nobody owned it in between. The
        state of the others is released.
        """
        self.assignment_known = True
        wanted = set() if self._closed else set(partitions)
        for number in sorted(self._partitions.keys() - wanted):
            await self._partitions.pop(number).close()
        for number in sorted(wanted):
            partition = self._partitions.setdefault(number, Partition(self._config, number))
            await partition.park()
            partition.start()

    async def revoked(self, partitions: Iterable[int]) -> None:
        """Finish the current units of work, drop queued batches; states are kept until the next assignment."""
        owned = [self._partitions[number] for number in partitions if number in self._partitions]
        await asyncio.gather(*(partition.park() for partition in owned))

    def submit(self, batches: Iterable[Batch]) -> None:
        """Queue each batch for its partition; a batch of a partition that is not owned is dropped.

        A batch is done when its transaction is durable. Nothing waits for that here, so that a partition that is
        restoring blocks no other: the transport's window bounds the queue.
        """
        for batch in batches:
            partition = self._partitions.get(batch.partition)
            if partition is None:
                batch.done()
            else:
                partition.submit(batch)

    async def close(self) -> None:
        """Give up everything: current units of work are finished, states released. Nothing is owned from then on."""
        self._closed = True
        partitions, self._partitions = self._partitions, {}
        await asyncio.gather(*(partition.close() for partition in partitions.values()))

    @property
    def positions(self) -> dict[int, int]:
        """Next input offset of each partition that is open for batches."""
        return {number: one.position for number, one in self._partitions.items() if one.running}

    @property
    def ready(self) -> bool:
        """Whether every owned partition is fenced and restored; true for an empty assignment, false before any."""
        return self.assignment_known and all(partition.running for partition in self._partitions.values())
