"""The sink on a real Kafka: whatever happens to it, to the broker or the database, the database is the topics' fold."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from msgspec import structs

from deploy.broker import EmbeddedBroker
from engine.kafka.copies import MAX_PAUSE_MS, Partition
from engine.kafka.mark import MARK
from engine.kafka.record import Record
from sinks.base import Flushed, SinkRefused, Topics
from sinks.runner import Pace, Runner, Source
from sinks.sql.sink import SqlSink
from sinks.sql.sqlite import open_sink
from tests.unit.sinks import messages
from tests.unit.sinks.backends import SqliteBackend
from tests.unit.sinks.messages import Logs, alert, entry, profile, redirect, tell
from tests.unit.sinks.plain import fold

pytestmark = pytest.mark.kafka

QUICK = Pace(linger=0.05, commit=0.1, recheck=0.3, heartbeat=0.5, settle=0.2, longest_wait=0.3)
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

    def source(self) -> Source:
        return Source(self.bootstrap, self.topics.kinds(), f"{self.name}-group")

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

    async def ends(self) -> dict[Partition, int]:
        """Where the logs end for a reader of committed records."""
        consumer = self._reader()
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, number) for topic in self.topics.kinds() for number in range(3)]
            return {tuple(at): end for at, end in (await consumer.end_offsets(partitions)).items()}
        finally:
            await consumer.stop()

    async def shown(self) -> dict[Partition, int]:
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
    lag: dict[Partition, int] = field(default_factory=dict)

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

    def positions(self) -> dict[Partition, int]:
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


@pytest.fixture
def bus(bootstrap: str) -> Bus:
    return Bus(bootstrap)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path)


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


def test_committed_records_are_copied_and_aborted_ones_never_show(bus: Bus, database: Database) -> None:
    async def scenario() -> None:
        await bus.create()
        noted = Noted()
        async with bus.producer(transactional_id=bus.name) as producer, database.copied_from(bus, noted):
            for number, aborted in enumerate([False, True, False, True]):
                await producer.begin_transaction()
                await bus.send(producer, story(30, first=100 * number))
                await (producer.abort_transaction() if aborted else producer.commit_transaction())
            await database.is_at_the_end_of(bus)
            ends = await bus.ends()
            await until(lambda: database.positions() == ends)
            for _ in range(100):  # markers and aborted records at the ends are no lag
                if (shown := await bus.shown()) == ends:
                    break
                await asyncio.sleep(0.1)
            assert shown == ends
            await until(lambda: set(noted.lag.values()) == {0})
        committed = await bus.committed()
        assert len(committed) == 2 * len(story(30)) == noted.records
        tables = database.tables()
        assert tables == fold(committed)
        assert ("c_0", "u2") in tables["timeline"]
        assert ("c_100", "u2") not in tables["timeline"]
        assert noted.failures == []

    run(scenario())


@pytest.mark.faults
def test_an_open_transaction_is_waited_for(bus: Bus, database: Database) -> None:
    async def scenario() -> None:
        await bus.create()
        async with bus.producer(transactional_id=bus.name) as producer, database.copied_from(bus):
            await producer.begin_transaction()
            await bus.send(producer, story(5))
            await database.exists()
            await asyncio.sleep(0.5)
            assert database.tables() == fold([])
            await producer.commit_transaction()
            await database.is_at_the_end_of(bus)
        assert database.tables() == fold(await bus.committed())

    run(scenario())


def test_records_that_the_bus_did_not_write_are_not_copied(bus: Bus, database: Database) -> None:
    strange = [structs.replace(record, headers=()) for record in story(20)]
    strange += [structs.replace(record, value=None, headers=(("v", b"junk"),)) for record in story(20) if record.key]

    async def scenario() -> None:
        await bus.create()
        async with bus.producer() as producer, database.copied_from(bus):
            await bus.send(producer, story(15))
            await bus.send(producer, strange)
            await bus.send(producer, story(5, first=50))
            await database.is_at_the_end_of(bus)
        assert database.tables() == fold([record for record in await bus.committed() if MARK in record.headers])

    run(scenario())


def test_what_a_later_version_of_the_bus_wrote_ends_the_sink_with_words(bus: Bus, database: Database) -> None:
    async def scenario() -> None:
        await bus.create()
        async with bus.producer() as producer:
            await bus.send(producer, [structs.replace(record, headers=(("v", b"2"),)) for record in story(1)])
        with pytest.raises(SinkRefused, match="was written by version 2 of the bus"):
            async with database.copied_from(bus) as copying:
                await asyncio.wait({copying}, timeout=PATIENCE)

    run(scenario())


def copy_for_ever(bus: Bus, path: Path) -> None:
    """A process with one sink."""
    asyncio.run(Runner(open_sink(path, bus.topics), bus.source(), pace=replace(QUICK, records=50)).run(asyncio.Event()))


@pytest.mark.faults
def test_a_sink_killed_again_and_again_loses_and_doubles_nothing(bus: Bus, database: Database) -> None:
    spawn = multiprocessing.get_context("spawn")

    async def scenario() -> None:
        await bus.create()
        async with bus.producer() as producer:
            reached = 0
            for round_ in range(4):
                await bus.send(producer, story(150, first=150 * round_))
                child = spawn.Process(target=copy_for_ever, args=(bus, database.path))
                child.start()
                try:
                    before = reached
                    await until(lambda: sum(database.positions().values()) > before + 120)  # noqa: B023  # awaited here
                finally:
                    child.kill()
                    child.join()
                    child.close()
                reached = sum(database.positions().values())
                offsets = database.positions()
                seen = [r for r in await bus.committed() if r.offset < offsets[bus.named(r.topic), r.partition]]
                assert database.tables() == fold(seen)
        assert reached < sum((await bus.ends()).values()), "the last kill should have come in the middle"
        async with database.copied_from(bus):
            await database.is_at_the_end_of(bus)
        assert database.tables() == fold(await bus.committed())

    run(scenario())


@pytest.mark.faults
def test_a_locked_database_delays_and_loses_nothing_and_does_not_hinder_the_end(bus: Bus, database: Database) -> None:
    async def scenario() -> None:
        await bus.create()
        noted = Noted()
        async with bus.producer() as producer, database.copied_from(bus, noted):
            await database.is_at_the_end_of(bus)
            with database.locked():
                await bus.send(producer, story(50))
                await until(lambda: noted.failures.count("database") >= 3)
                assert database.tables() == fold([])
            await database.is_at_the_end_of(bus)
        assert database.tables() == fold(await bus.committed())
        async with bus.producer() as producer:
            with database.locked():
                await bus.send(producer, story(50, first=50))
                began = time.monotonic()
                async with database.copied_from(bus, noted):
                    await asyncio.sleep(1.0)
                assert time.monotonic() - began < 4
        async with database.copied_from(bus):
            await database.is_at_the_end_of(bus)
        assert database.tables() == fold(await bus.committed())

    run(scenario())


@pytest.mark.parametrize("standstill", [0.5, 3600.0])
@pytest.mark.faults
def test_a_sink_that_stood_still_for_too_long_reads_from_the_start_what_may_have_been_cleaned_up_since(
    standstill: float, bus: Bus, database: Database
) -> None:
    """A row whose tombstone nobody will ever see is put into the database; with a long patience it would stay there."""
    ghost = "INSERT INTO identities (key, customer_id, document, log_offset) VALUES ('i/ghost', 'c_0', '{}', 0)"

    async def scenario() -> None:
        await bus.create()
        pace = replace(QUICK, standstill=standstill)
        async with bus.producer() as producer, database.copied_from(bus, pace=pace, max_pause_ms=1000):
            await bus.send(producer, story(5))
            await database.is_at_the_end_of(bus)
            with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                other.execute(ghost)
                await bus.send(producer, story(5, first=5))
                await asyncio.sleep(2.5)
                await bus.send(producer, story(5, first=10))
                other.execute("COMMIT")
            await database.is_at_the_end_of(bus)
        identities = database.tables()["identities"]
        ghosts = {key: identities.pop(key) for key in list(identities) if key == ("i/ghost",)}
        assert (standstill > 10) == bool(ghosts)
        assert identities == fold(await bus.committed())["identities"]

    run(scenario())


async def recreate_timeline(bus: Bus) -> None:
    """Now with other records, and more than before: the offsets that were read exist in the new topic, too."""
    timeline = bus.topics.timeline
    async with bus.admin() as admin:
        await admin.delete_topics([timeline])
    await asyncio.sleep(1.0)
    await bus.create(timeline)
    async with bus.producer() as producer:
        await bus.send(producer, [r for r in story(40, first=1000) if r.topic == messages.TOPICS.timeline])


@pytest.mark.faults
def test_a_topic_that_was_created_again_since_is_copied_anew(bus: Bus, database: Database) -> None:
    async def scenario() -> None:
        await bus.create()
        async with bus.producer() as producer:
            await bus.send(producer, story(20))
        async with database.copied_from(bus):
            await database.is_at_the_end_of(bus)
        await recreate_timeline(bus)
        async with database.copied_from(bus):
            await database.is_at_the_end_of(bus)
        assert database.tables() == fold(await bus.committed())

    run(scenario())


@pytest.mark.faults
def test_a_topic_created_again_behind_the_back_of_a_frozen_sink_is_copied_anew(bus: Bus, database: Database) -> None:
    expected = fold(story(40, first=1000))["timeline"].keys()

    async def scenario() -> None:
        await bus.create()
        async with bus.producer() as producer:
            await bus.send(producer, story(20))
        child = multiprocessing.get_context("spawn").Process(target=copy_for_ever, args=(bus, database.path))
        child.start()
        try:
            assert child.pid is not None
            await until(database.path.exists)
            await database.is_at_the_end_of(bus)
            os.kill(child.pid, signal.SIGSTOP)
            await recreate_timeline(bus)
            os.kill(child.pid, signal.SIGCONT)
            await until(lambda: database.tables()["timeline"].keys() == expected)
        finally:
            child.kill()
            child.join()
            child.close()
        assert database.tables() == fold(await bus.committed())

    run(scenario())


@pytest.mark.faults
def test_records_deleted_before_they_were_read_do_not_stop_it(bus: Bus, database: Database) -> None:
    async def scenario() -> None:
        await bus.create()
        async with bus.producer() as producer:
            await bus.send(producer, story(10))
            async with database.copied_from(bus):
                await database.is_at_the_end_of(bus)
            await bus.send(producer, story(10, first=10))
            ends = await bus.ends()
            async with bus.admin() as admin:
                sales = bus.topics.alerts["sales"]
                await admin.delete_records({TopicPartition(sales, 0): RecordsToDelete(ends[sales, 0])})
            await bus.send(producer, story(10, first=20))
            async with database.copied_from(bus):
                await database.is_at_the_end_of(bus)
        alerts = database.tables()["alerts"]
        assert {pair[1] for pair in alerts} == {f"c_{number}" for number in range(30)}
        assert alerts["a_11", "c_11"]["departments"] == {"service"}
        assert alerts["a_21", "c_21"]["departments"] == {"sales", "service"}

    run(scenario())


@pytest.mark.faults
def test_topics_that_are_not_there_yet_are_waited_for(bus: Bus, database: Database) -> None:
    async def scenario() -> None:
        names = list(bus.topics.kinds())
        await bus.create(*names[:2])
        async with database.copied_from(bus):
            await asyncio.sleep(0.7)
            assert database.positions() == {}
            async with bus.admin() as admin:
                assert set(names[2:]).isdisjoint(await admin.list_topics()), "waiting must not create topics"
            await bus.create(*names[2:])
            async with bus.producer() as producer:
                await bus.send(producer, story(5))
            await database.is_at_the_end_of(bus)
        assert database.tables() == fold(await bus.committed())

    run(scenario())


@pytest.mark.faults
def test_poison_and_large_values_pass_through(bus: Bus, database: Database) -> None:
    async def scenario() -> None:
        await bus.create()
        big = entry("c_0", "big", event=entry()["data"]["event"] | {"data": {"note": "x" * (2 * MEBIBYTE)}})
        logs = Logs()
        for number in range(12):
            logs.append(messages.TOPICS.timeline, f"c_{number}/u1", b"\xff" * (number + 1))
            logs.append(messages.TOPICS.timeline, "c_0/big", big)
            logs.append(messages.TOPICS.timeline, f"c_{number}/u2", entry(f"c_{number}", "u2"))
        noted = Noted()
        async with bus.producer() as producer, database.copied_from(bus, noted):
            await bus.send(producer, logs.records)
            await database.is_at_the_end_of(bus)
        assert (noted.records, noted.unreadable) == (36, 12)
        assert database.tables() == fold(await bus.committed())
        assert len(database.tables()["timeline"]["c_0", "big"]["data"]["note"]) == 2 * MEBIBYTE

    run(scenario())


@pytest.mark.faults
def test_what_was_written_while_the_run_was_told_to_stop_is_counted(
    bus: Bus, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = SqlSink.flush

    def slow_to_return(sink: SqlSink) -> Flushed:
        flushed = flush(sink)
        time.sleep(0.5)
        return flushed

    monkeypatch.setattr(SqlSink, "flush", slow_to_return)

    async def scenario() -> None:
        await bus.create()
        noted = Noted()
        async with bus.producer() as producer, database.copied_from(bus, noted):
            await bus.send(producer, story(3))
            await database.is_at_the_end_of(bus)
        assert noted.records == len(story(3))

    run(scenario())


@pytest.mark.faults
def test_a_database_that_must_not_be_used_ends_the_run(bus: Bus, database: Database) -> None:
    async def scenario() -> None:
        await bus.create()
        async with database.copied_from(bus):
            await database.is_at_the_end_of(bus)
        with closing(sqlite3.connect(database.path)) as connection:
            connection.execute("UPDATE sink_meta SET value = '99'")
            connection.commit()
        with pytest.raises(SinkRefused, match="version 99"):
            async with asyncio.timeout(PATIENCE), database.copied_from(bus) as running:
                await asyncio.wait({running})

    run(scenario())


@pytest.mark.faults
def test_a_broker_that_goes_away_and_comes_back_is_waited_for(tmp_path: Path, database: Database) -> None:
    broker = EmbeddedBroker(tmp_path / "own")
    bus = Bus(broker.start())

    async def scenario() -> None:
        await bus.create()
        noted = Noted()
        async with database.copied_from(bus, noted):
            async with bus.producer() as producer:
                await bus.send(producer, story(10))
            await database.is_at_the_end_of(bus)
            await asyncio.to_thread(broker.stop)
            await until(lambda: "broker" in noted.failures)
            await asyncio.to_thread(broker.start)
            async with bus.producer() as producer:
                await bus.send(producer, story(10, first=10))
            await database.is_at_the_end_of(bus)
        assert database.tables() == fold(await bus.committed())
        assert noted.records == len(story(10) + story(10, first=10)), "what was there before is not read again"

    try:
        run(scenario())
    finally:
        broker.stop()


@pytest.mark.faults
def test_a_sink_without_a_broker_waits_and_still_ends_at_once(database: Database) -> None:
    async def scenario() -> None:
        noted = Noted()
        async with database.copied_from(Bus("127.0.0.1:1"), noted):
            await until(lambda: noted.failures.count("broker") >= 2)
            began = time.monotonic()
        assert time.monotonic() - began < 1.0

    run(scenario())
