"""The state of one input partition and the units of work on it: open it, then take one batch after another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition

from engine.kafka.checkpoint import Checkpoint
from engine.kafka.cluster import Cluster
from engine.kafka.errors import Fatal, Gap
from engine.kafka.limits import Limits
from engine.kafka.record import KafkaRecord, end_of
from engine.kafka.time_limit import limited
from engine.transactional.batch import Batch
from engine.transactional.foreign_search import ForeignSearch
from engine.transactional.observer import Observer
from engine.transactional.progress import ProgressLog, ReachedInput
from engine.transactional.restore import Positions, read_positions, restore
from engine.transactional.transaction import Output, Targets, by_target, commit, sweep
from engine.transactional.unit import Decider, Unit, Units

log = structlog.get_logger("engine.transactional.partition_state")


class Processor(Decider, Protocol):
    """What the application supplies for one input partition. Synchronous; no I/O but its local store.

    The changes of a unit of work stay pending: durable state is unchanged until :meth:`committed`.
    """

    def sources(self) -> Sequence[TopicPartition]:
        """Partitions of compacted topics to restore from, in that order. Nobody else writes the bus's keys there."""

    def checkpoint(self) -> Checkpoint | None:
        """The local store's checkpoint of the sources."""

    def reset(self) -> None:
        """Clear the local store."""

    def restore(self, records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
        """Apply records of a source; called repeatedly, in the order of the log. Applying one again changes nothing.

        Returns those without the form of the bus's records: they are skipped, and count as foreign.
        """

    def restored(self, mark: Checkpoint) -> None:
        """Keep what was restored up to ``mark``: an interrupted restore resumes from there."""

    def opened(self, mark: Checkpoint) -> None:
        """The state is complete; ``mark`` is its checkpoint, to be stored with it."""

    def foreign(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        """The outputs about foreign records on the bus's own topics. Called once for each record, in a transaction."""

    def committed(self, mark: Checkpoint) -> None:
        """The unit's transaction is durable: write the pending changes and the checkpoint ``mark`` to the local
        store.
        """

    def close(self) -> None:
        """The partition was revoked (or its state is void): release everything."""


@dataclass(frozen=True, slots=True)
class PartitionConfig:
    """The configuration that all partitions of one input topic share."""

    topic: str
    group_id: str
    transactional_id_prefix: str
    bootstrap: str
    progress: ProgressLog
    make_processor: Callable[[int], Processor]
    on_fatal: Callable[[Fatal], None]
    observer: Observer
    limits: Limits
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the partition that decides; the others wait."""


class PartitionState:
    """The state that outlives an assignment: the processor, and the position in the input.

    Every call gets the producer of the current assignment, which has fenced all others.
    """

    def __init__(self, config: PartitionConfig, number: int) -> None:
        self.source = TopicPartition(config.topic, number)
        self.position = -1
        """The next input offset; -1 before the first opening."""
        self._config = config
        self._number = number
        self._processor: Processor | None = None
        self._topic_id = ""
        self._mark: Checkpoint | None = None
        self._swept: set[TopicPartition] = set()
        self._search = ForeignSearch({}, Cluster("", {}))
        self._units = Units(config.limits, config.turn, f"partition {number} of {config.topic}")
        self._told = -inf
        """When the position was last committed to the group, by the event loop's clock."""
        self.offset_commit_due = False
        """Whether the position is ahead of the group's committed offset: the progress record is written more often."""

    def discard(self) -> None:
        """Discard the state in memory; the local store stays on disk."""
        if self._processor is not None:
            self._processor.close()
        self._processor, self._mark, self.position, self.offset_commit_due = None, None, -1, False

    async def open(self, producer: AIOKafkaProducer) -> None:
        """Find the next input offset; keep the state if nobody committed in between, else restore it."""
        config, clock = self._config, asyncio.get_running_loop().time
        began = clock()
        processor = self._processor or config.make_processor(self._number)
        kept, self._processor = self._processor is not None, processor
        self._swept = {*processor.sources(), config.progress.place(self._number)}
        async with limited(config.limits.fence, f"partition {self._number} of {config.topic}: no offsets from Kafka"):
            await sweep(producer, self._swept)
            found = await read_positions(
                config.bootstrap, config.group_id, self.source, processor.sources(), config.progress
            )
        self._topic_id = found.topic_id
        if found.lost:
            config.observer.lost(config.topic, self._number, found.lost)
        if kept and found.start == self.position:
            config.observer.kept(config.topic, self._number)
            log.info("partition kept", topic=config.topic, partition=self._number, next=self.position)
            return
        if kept:
            self.discard()
            processor = self._processor = config.make_processor(self._number)
        self._search = ForeignSearch(found.seen, found.searched.cluster)
        records = await self._restore(processor, found)
        self.position = found.start
        if self._search.report_due:
            await self._report(producer)
        elif found.start != (found.committed or 0):
            # the group's offset is wrong: correct it, so that the next start fetches from the right one
            await commit(producer, self.source, found.start, config.group_id, {}, config.limits)
        config.observer.restored(config.topic, self._number, records, clock() - began)
        log.info(
            "partition restored",
            topic=config.topic,
            partition=self._number,
            records=records,
            next=self.position,
            seconds=round(clock() - began, 3),
        )

    async def _restore(self, processor: Processor, found: Positions) -> int:
        """Bring the local store up to date, or fill it from scratch; returns the number of records read."""
        config, bounds = self._config, found.bounds
        cache, now = processor.checkpoint(), time.time()
        unusable = "there is no local store" if cache is None else cache.unusable(bounds, now, config.limits.cache)
        if cache is None or unusable:
            log.info(
                "no usable local state, restoring from the first offset",
                topic=config.topic,
                partition=self._number,
                reason=unusable,
            )
            processor.reset()
            known: Mapping[TopicPartition, int] = bounds.begins
        else:
            known = cache.offsets

        search, ends, count = self._search, found.searched.ends, 0

        def apply(records: Sequence[KafkaRecord]) -> None:
            nonlocal count
            ours, tp = search.sift(records), TopicPartition(records[0].topic, records[0].partition)
            if tp not in bounds.ends:
                search.take(record for record in ours if ReachedInput.decode(record.value) is None)
                return
            if ours and ours[0].offset < known[tp]:
                ours = [record for record in ours if record.offset >= known[tp]]
            search.take(processor.restore(ours))
            count += len(ours)

        def reached(offsets: Mapping[TopicPartition, int]) -> None:
            processor.restored(Checkpoint(bounds.cluster, {tp: offsets[tp] for tp in bounds.ends}, now))

        starts = {tp: min(search.seen[tp], known.get(tp, end)) for tp, end in ends.items()}
        await restore(config.bootstrap, starts, ends, apply, config.limits.stall, reached)
        search.finished(ends)
        self._mark = Checkpoint(bounds.cluster, bounds.ends, now)
        processor.opened(self._mark)
        return count

    async def take(self, producer: AIOKafkaProducer, batch: Batch, leaving: Callable[[], bool] = lambda: False) -> None:
        """Process one batch: in one transaction, or in several when deciding it would block all other partitions for
        long.

        Records below the next offset were part of an earlier batch. Whenever that is possible ``leaving`` is called;
        if true, the rest is left to the next owner.
        """
        config = self._config
        if batch.end <= self.position:
            return
        if batch.start > self.position:
            raise Gap(config.topic, self._number, self.position, batch.start)
        records = batch.records
        if batch.start < self.position:
            records = [record for record in records if end_of(record) > self.position]
        while True:
            records = await self._transaction(producer, records, batch.end, leaving)
            if not records or leaving():
                return
            batch.part()

    async def _transaction(
        self, producer: AIOKafkaProducer, records: Sequence[KafkaRecord], end: int, leaving: Callable[[], bool]
    ) -> Sequence[KafkaRecord]:
        """One unit of work, of the first of ``records``; returns the others, or none if the next owner is to do it all.
        ``end``: the offset after all of ``records``.
        """
        processor, mark = self._processor, self._mark
        assert processor is not None, "open it first"
        assert mark is not None, "open it first"
        config, clock = self._config, asyncio.get_running_loop().time
        unit = await self._units.decide(processor, records, leaving) if records else Unit()
        if unit is None:
            return ()
        outputs = unit.outputs
        outputs += self._foreign(unit.foreign)
        left = records[unit.records :]
        if left:
            records = records[: unit.records]
            end = end_of(records[-1])
        if records:
            outputs.append(self._progress(end))
        targets = by_target(outputs)
        decided = clock()
        offset_commit_due = bool(records) and decided - self._told < config.limits.offsets
        ends = await self._write(producer, None if offset_commit_due else end, targets)
        self.position, self.offset_commit_due = end, offset_commit_due
        if not offset_commit_due:
            self._told = decided
        if records:
            offsets = {tp: max(offset, ends.get(tp, offset)) for tp, offset in mark.offsets.items()}
            self._mark = Checkpoint(mark.cluster, offsets, time.time())
            processor.committed(self._mark)
        config.observer.batch(config.topic, self._number, len(records), len(outputs), unit.seconds, clock() - decided)
        if holes := self._search.written(targets, ends):
            await self._look_into(producer, holes)
        return left

    async def _write(
        self, producer: AIOKafkaProducer, position: int | None, targets: Targets
    ) -> dict[TopicPartition, int]:
        """One transaction; returns the end of each target."""
        config = self._config
        new = targets.keys() - self._swept
        if new:
            about = f"no answer from Kafka about {', '.join(sorted({tp.topic for tp in new}))}"
            async with limited(config.limits.answer, f"partition {self._number} of {config.topic}: {about}"):
                await sweep(producer, new)
            self._swept |= new
        return await commit(producer, self.source, position, config.group_id, targets, config.limits)

    async def _look_into(self, producer: AIOKafkaProducer, holes: Mapping[TopicPartition, int]) -> None:
        """Search offsets that our transactions and their markers don't account for: others wrote there.

        Uncommitted records are read, too: a transaction that somebody leaves open must not block the partition.
        """
        config, search = self._config, self._search
        starts = {tp: search.seen[tp] for tp in holes}
        await restore(
            config.bootstrap, starts, holes, search.sift, config.limits.stall, isolation_level="read_uncommitted"
        )
        search.finished(holes)
        if search.found:
            await self._report(producer)

    async def _report(self, producer: AIOKafkaProducer) -> None:
        """Write the outputs about foreign records, and the progress record with the offsets searched."""
        targets = by_target([*self._foreign(self._search.reported()), self._progress(self.position)])
        ends = await self._write(producer, self.position, targets)
        self._search.written(targets, ends)

    def _foreign(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        assert self._processor is not None, "open it first"
        places: dict[TopicPartition, list[int]] = {}
        for record in records:
            places.setdefault(TopicPartition(record.topic, record.partition), []).append(record.offset)
        for tp, offsets in places.items():
            self._config.observer.foreign(tp.topic, tp.partition, offsets)
        return self._processor.foreign(records) if records else ()

    async def commit_position(self, producer: AIOKafkaProducer) -> None:
        """Commit the position to the group, if that is due."""
        if self.offset_commit_due:
            await commit(producer, self.source, self.position, self._config.group_id, {}, self._config.limits)
            self._told, self.offset_commit_due = asyncio.get_running_loop().time(), False

    def _progress(self, end: int) -> Output:
        log, place = self._config.progress, self._config.progress.place(self._number)
        reached = ReachedInput(self._topic_id, end, self._search.for_progress())
        return Output(place.topic, place.partition, log.key(self._number), reached.encode())
