"""One input topic, one compacted output topic, and owners of their partition as worker processes have them."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from engine.kafka.errors import Fatal
from engine.kafka.limits import Limits
from engine.kafka.mark import MARK
from engine.transactional.batch import Batch
from engine.transactional.partitions import TransactionalPartitions
from engine.transactional.progress import ProgressLog
from engine.transactional.restore import read_bounds, restore
from engine.transactional.transaction import Output
from engine.transactional.unit import Deciding
from tests.integration.engine_toy import Counter


@dataclass
class Notes:
    """An observer that remembers what happened, and where fatal errors end."""

    happened: list[str] = field(default_factory=list)
    fatal: list[Fatal] = field(default_factory=list)

    def batch(
        self, topic: str, partition: int, records: int, outputs: int, decide_seconds: float, commit_seconds: float
    ) -> None:
        self.happened.append(f"batch of {records}")

    def lost(self, topic: str, partition: int, records: int) -> None:
        self.happened.append(f"lost {records}")

    def foreign(self, topic: str, partition: int, offsets: Sequence[int]) -> None:
        self.happened.append(f"foreign {topic.rpartition('.')[2]} {list(offsets)}")

    def fenced(self, topic: str, partition: int, seconds: float) -> None:
        self.happened.append("fenced")

    def restored(self, topic: str, partition: int, records: int, seconds: float) -> None:
        self.happened.append(f"restored {records}")

    def kept(self, topic: str, partition: int) -> None:
        self.happened.append("kept")


class Clumsy(Counter):
    """A processor whose decision can be made to fail, or to ask for the impossible."""

    name = ""
    """Of the shop."""
    fails: Exception | None = None
    adds: Output | None = None
    patience: int | None = None
    """Batches of a restore that it takes before it breaks down."""

    def restore(self, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        if self.patience == 0:
            raise OSError("broken down in the middle of a restore")
        self.patience = None if self.patience is None else self.patience - 1
        return super().restore(records)

    def decide(self, records: Sequence[ConsumerRecord], *, careful: bool) -> Deciding:
        outputs = [*(yield from super().decide(records, careful=careful))]
        if self.fails is not None:
            raise self.fails
        return [*outputs, self.adds] if self.adds is not None else outputs


@dataclass
class Shop:
    """One input topic and one compacted output topic, of one partition each."""

    bootstrap: str
    directory: Path
    name: str = field(default_factory=lambda: f"shop-{uuid.uuid4().hex[:8]}")
    limits: Limits = field(
        default_factory=lambda: Limits(transaction=5, answer=8, fence=20, stall=8, leave=5, offsets=0)
    )
    group: str = ""
    warm: bool = False
    """Whether owners find what the one before left on its disk."""
    patience: int | None = None
    """Of the owners' processors."""
    kind: type[Clumsy] = Clumsy
    """What they are."""
    opened: list[TransactionalPartitions] = field(default_factory=list)
    processors: list[Clumsy] = field(default_factory=list)

    @property
    def source(self) -> TopicPartition:
        return TopicPartition(f"{self.name}.in", 0)

    @property
    def progress(self) -> ProgressLog:
        return ProgressLog(f"{self.name}.progress", "shop")

    @property
    def target(self) -> TopicPartition:
        return TopicPartition(f"{self.name}.out", 0)

    def partitions(self, notes: Notes, limits: Limits | None = None) -> TransactionalPartitions:
        """An owner as one worker process has it."""

        def make_processor(partition: int) -> Clumsy:
            home = self.directory / ("cache" if self.warm else uuid.uuid4().hex)
            self.processors.append(self.kind(self.target.topic, partition, home))
            self.processors[-1].name = self.name
            self.processors[-1].patience = self.patience
            return self.processors[-1]

        owner = TransactionalPartitions(
            topic=self.source.topic,
            group_id=self.group or self.name,
            transactional_id_prefix=self.name,
            bootstrap=self.bootstrap,
            progress=self.progress,
            make_processor=make_processor,
            on_fatal=notes.fatal.append,
            observer=notes,
            limits=limits or self.limits,
        )
        self.opened.append(owner)
        return owner

    async def open(self, notes: Notes, limits: Limits | None = None) -> TransactionalPartitions:
        """An owner that is ready."""
        owner = self.partitions(notes, limits)
        await owner.assigned({0})
        await self.ready(owner, notes)
        return owner

    async def ready(self, owner: TransactionalPartitions, notes: Notes) -> None:
        await until(lambda: owner.ready or bool(notes.fatal))
        assert [] == notes.fatal

    async def failed(self, notes: Notes) -> None:
        """An owner has said that the process must end."""
        await until(lambda: bool(notes.fatal))

    async def publish(self, *ids: int) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for one in ids:
                await producer.send_and_wait(
                    self.source.topic, b"%d" % one, b"k%d" % (one % 3), partition=0, headers=[MARK]
                )

    async def read(self, source: TopicPartition) -> list[ConsumerRecord]:
        """All committed records."""
        return await read_all(self.bootstrap, source)

    async def counted(self) -> list[tuple[str, int]]:
        """Ids and counts in the output topic."""
        events = [json.loads(record.value) for record in await self.read(self.target)]
        return [(event["id"], event["n"]) for event in events]

    async def committed(self) -> int | None:
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.group or self.name) as consumer:
            offset: int | None = await consumer.committed(self.source)
            return offset

    async def hand(
        self, owner: TransactionalPartitions, records: Sequence[ConsumerRecord], start: int | None = None
    ) -> None:
        """Submit records as one batch and wait until it is done."""
        done = asyncio.Event()
        first = records[0].offset if start is None else start
        owner.submit([Batch(self.source.topic, 0, records, first, records[-1].offset + 1, done.set)])
        async with asyncio.timeout(30):
            await done.wait()


async def read_all(bootstrap: str, source: TopicPartition, stall_seconds: float = 60) -> list[ConsumerRecord]:
    """All committed records of a partition."""
    found: list[ConsumerRecord] = []
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        bounds = await read_bounds(consumer, [source])
    await restore(bootstrap, bounds.begins, bounds.ends, found.extend, stall_seconds)
    return found


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def shop(bootstrap: str, directory: Path) -> AsyncIterator[Shop]:
    place = Shop(bootstrap, directory)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    small = {"max.message.bytes": "2000000"}
    try:
        await admin.create_topics(
            [
                NewTopic(place.source.topic, 1, 1),
                NewTopic(place.target.topic, 1, 1, topic_configs={**small, "cleanup.policy": "compact"}),
                NewTopic(place.progress.topic, 1, 1, topic_configs={"cleanup.policy": "compact"}),
                NewTopic(f"{place.name}.narrow", 1, 1, topic_configs={"max.message.bytes": "1000"}),
            ]
        )
        yield place
    finally:
        await asyncio.gather(*(owner.close() for owner in place.opened))
        await admin.delete_topics(
            [place.source.topic, place.target.topic, place.progress.topic, f"{place.name}.narrow"]
        )
        await admin.close()
