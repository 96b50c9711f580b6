"""The sink on a real Kafka: the topics and the database of one test, a story to copy, and what runs a scenario."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from engine.kafka.copies import MAX_PAUSE_MS, PartitionKey
from engine.kafka.record import Record
from sinks.base import Flushed, Topics
from sinks.runner import KafkaSource, Pace, Runner
from sinks.sql.sqlite import open_sink
from tests.unit.sinks import messages
from tests.unit.sinks.backends import SqliteBackend
from tests.unit.sinks.messages import Logs, alert, entry, profile, redirect, tell

QUICK = Pace(linger=0.05, commit=0.1, recheck=0.3, heartbeat=0.5, leader_change=0.2, longest_wait=0.3)
PATIENCE = 60.0
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bus:
    """The topics of one test. ``plain`` tells the name by which ``messages`` and ``plain`` know a topic."""

    bootstrap: str
    name: str = field(default_factory=lambda: f"sink-{uuid.uuid4().hex[:8]}")

    @property
    def topics(self) -> Topics:
        plain = messages.TOPICS
        return Topics(
            self.named(plain.timeline),
            self.named(plain.profiles),
            self.named(plain.identities),
            {department: self.named(topic) for department, topic in plain.alerts.items()},
        )

    def named(self, plain: str) -> str:
        return f"{self.name}.{plain}"

    def plain(self, topic: str) -> str:
        return topic.removeprefix(f"{self.name}.")

    def source(self) -> KafkaSource:
        return KafkaSource(self.bootstrap, self.topics.kinds(), f"{self.name}-group")

    async def create(self, *topics: str) -> None:
        async with self.admin() as admin:
            configs = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(3 * MEBIBYTE)}
            wanted = [NewTopic(topic, 3, 1, topic_configs=configs) for topic in topics or self.topics.kinds()]
            answer = await admin.create_topics(wanted)
            assert [error for _, error, *_ in answer.topic_errors] == [0] * len(wanted)

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Any]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def producer(self, **options: Any) -> AsyncIterator[Any]:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, max_request_size=3 * MEBIBYTE, **options)
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def send(self, producer: Any, records: Iterable[Record]) -> None:
        waiting = [
            await producer.send(
                self.named(r.topic), key=r.key, value=r.value, partition=r.partition, headers=list(r.headers)
            )
            for r in records
        ]
        await asyncio.gather(*waiting)

    async def committed(self) -> list[Record]:
        """All that a reader of committed records finds, under the plain names."""
        consumer = self._reader()
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, number) for topic in self.topics.kinds() for number in range(3)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(partitions)
            found: list[Record] = []
            while any([await consumer.position(at) < ends[at] for at in partitions]):
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += [
                        Record(self.plain(r.topic), r.partition, r.offset, r.timestamp, r.key, r.value, r.headers)
                        for r in records
                    ]
            return found
        finally:
            await consumer.stop()

    async def ends(self) -> dict[PartitionKey, int]:
        """Where the logs end for a reader of committed records."""
        consumer = self._reader()
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, number) for topic in self.topics.kinds() for number in range(3)]
            return {tuple(at): end for at, end in (await consumer.end_offsets(partitions)).items()}
        finally:
            await consumer.stop()

    async def shown(self) -> dict[PartitionKey, int]:
        """The offsets of the sink's group."""
        async with self.admin() as admin:
            found = await admin.list_consumer_group_offsets(self.source().group)
        return {tuple(at): offset.offset for at, offset in found.items()}

    def _reader(self) -> Any:
        return AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed", max_partition_fetch_bytes=3 * MEBIBYTE
        )


@dataclass(slots=True)
class Noted:
    """An observer that keeps what it is told."""

    records: int = 0
    unreadable: int = 0
    failures: list[str] = field(default_factory=list)
    lag: dict[PartitionKey, int] = field(default_factory=dict)

    def flushed(self, flushed: Flushed, seconds: float) -> None:
        assert seconds > 0
        self.records += flushed.records
        self.unreadable += sum(flushed.unreadable.values())

    def failed(self, part: str) -> None:
        self.failures.append(part)

    def behind(self, topic: str, partition: int, offsets: int) -> None:
        self.lag[topic, partition] = offsets


class Database:
    """The database of one test, looked at from outside."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "cxbus.db"
        self._backend = SqliteBackend(directory)
        self.tables = self._backend.tables
        self.locked = self._backend.locked

    def positions(self) -> dict[PartitionKey, int]:
        with closing(sqlite3.connect(self.path)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sink_offsets'").fetchone():
                return {}
            rows = connection.execute("SELECT topic, partition, next_offset FROM sink_offsets")
            return {(topic, partition): offset for topic, partition, offset in rows}

    async def exists(self) -> None:
        """Returns when the sink has made its tables."""
        async with asyncio.timeout(30):
            while not self.path.exists() or not self.positions():  # noqa: ASYNC110  # another process's file
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def copied_from(
        self, bus: Bus, noted: Noted | None = None, *, pace: Pace = QUICK, max_pause_ms: int = MAX_PAUSE_MS
    ) -> AsyncIterator[asyncio.Task[None]]:
        """A sink that copies until the block ends; how it ended is raised then."""
        sink = open_sink(self.path, bus.topics, busy_ms=50, max_pause_ms=max_pause_ms)
        stop = asyncio.Event()
        running = asyncio.create_task(Runner(sink, bus.source(), observer=noted, pace=pace).run(stop))
        try:
            yield running
        finally:
            stop.set()
            try:
                await running
            finally:
                sink.close()

    async def is_at_the_end_of(self, bus: Bus) -> None:
        """Returns when everything that is committed now has been copied."""
        ends = await bus.ends()
        await until(lambda: (now := self.positions()).keys() == ends.keys() and all(now[at] >= ends[at] for at in ends))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  # what is waited for happens in a database
            await asyncio.sleep(0.02)


def story(customers: int, *, first: int = 0) -> list[Record]:
    """Records of all kinds about some customers, spread over three partitions."""
    logs = Logs()
    for number in range(first, first + customers):
        customer, partition = f"c_{number}", number % 3
        for uid in ("u1", "u2"):
            logs.append(messages.TOPICS.timeline, f"{customer}/{uid}", entry(customer, uid), partition=partition)
        logs.append(messages.TOPICS.profiles, customer, profile(customer, f"Name {number}"), partition=partition)
        logs.append(messages.TOPICS.identities, f"i/{number}", {"id": customer, "type": "email"})
        tell(logs, alert(customer, f"a_{number}", journal=number))
        if number % 3 == 0:
            logs.append(messages.TOPICS.timeline, f"{customer}/u1", None, partition=partition)
            tell(logs, alert(customer, f"a_{number}", "resolved", journal=number + 100_000))
        if number % 5 == 0:
            logs.append(messages.TOPICS.profiles, customer, redirect(customer, "c_1"), partition=partition)
    return logs.records


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a scenario, after which nothing may be left running."""

    async def whole() -> None:
        await test
        ours = asyncio.current_task()
        await until(lambda: asyncio.all_tasks() == {ours})

    asyncio.run(whole())
