"""Which records a sink copies from a real Kafka: the database is the fold of what the bus has committed."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from msgspec import structs

from engine.kafka.mark import MARK
from sinks.base import SinkRefused
from tests.unit.sinks import messages
from tests.unit.sinks.messages import Logs, entry
from tests.unit.sinks.plain import fold

from .bench import MEBIBYTE, PATIENCE, Bus, Database, Noted, run, story, until

pytestmark = pytest.mark.kafka


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
