"""Whatever happens to the sink, to its topics, to the broker or the database: the database is the topics' fold."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker
from sinks.base import Flushed, SinkRefused
from sinks.runner import Runner
from sinks.sql.sink import SqlSink
from sinks.sql.sqlite import open_sink
from tests.unit.sinks import messages
from tests.unit.sinks.plain import fold

from .bench import PATIENCE, QUICK, Bus, Database, Noted, run, story, until

pytestmark = pytest.mark.kafka


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
