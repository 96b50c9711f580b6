"""A sink that was away while its topics changed: made anew, cut off, cleaned of tombstones, of another cluster.

Nothing that is not on the topics any more may live on in the database, and nothing that is there may be missing.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.broker import EmbeddedBroker
from schemas.topics import IDENTITIES, PROFILES, TIMELINE, alerts_topic

from . import sink_log
from .sink_play import Say, play
from .sink_stage import SIZES, Stage, apply_topics
from .sink_story import Draft

pytestmark = pytest.mark.kafka

SALES = alerts_topic("sales")
DAY_MS = 24 * 3_600_000
HALF_OF_DELETE_RETENTION = 15
"""Days."""
GHOST = b"i/cleaned-up"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """One whose topics these tests may maltreat."""
    with EmbeddedBroker(tmp_path_factory.mktemp("topics-broker")) as broker:
        yield broker


@pytest.fixture
def bootstrap(broker: EmbeddedBroker) -> str:
    """With all topics there, as the catalogue has them."""
    apply_topics(broker.bootstrap)
    return broker.bootstrap


@contextmanager
def admin(bootstrap: str) -> Iterator[Any]:
    from kafka import KafkaAdminClient

    with KafkaAdminClient(bootstrap_servers=bootstrap) as client:
        yield client


def made_anew(bootstrap: str, *topics: str) -> None:
    """Deleted and created again, empty."""
    from kafka.errors import TopicAlreadyExistsError

    before = sink_log.identity(bootstrap, SIZES)
    with admin(bootstrap) as client:
        client.delete_topics(list(topics))
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            apply_topics(bootstrap)
        except TopicAlreadyExistsError:
            time.sleep(0.2)
            continue
        after = sink_log.identity(bootstrap, SIZES)
        if all(name in after.topics and after.topics[name] != before.topics[name] for name in topics):
            return
        time.sleep(0.2)
    raise AssertionError("the topics were not made anew")


def configured(bootstrap: str, kind: str, name: str, settings: Mapping[str, str]) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    with admin(bootstrap) as client:
        resource = ConfigResource(ConfigResourceType[kind], name, configs=dict(settings))
        client.alter_configs([resource], raise_on_unknown=False)


def discarded(stage: Stage) -> list[str]:
    """Why the sink said that it reads anew, each with what."""
    import json

    lines = [line for line in stage.sink.log().splitlines() if "copy-discarded" in line]
    return sorted({f"{said['kind']}: {said['why']}" for said in map(json.loads, lines)})


def test_topics_made_anew_while_the_sink_is_away_or_frozen_are_copied_anew(
    bootstrap: str, tmp_path: Path, say: Say
) -> None:
    """With more records than before: the offsets that were read exist in the new topics, too."""

    async def scenario(stage: Stage) -> None:
        await stage.writer.load(1500)
        stage.sink.start()
        await stage.at_end()
        assert 0 == stage.sink.stop()
        await stage.writer.close()
        await asyncio.to_thread(made_anew, bootstrap, TIMELINE, SALES)
        await stage.writer.load(3000)
        stage.sink.start()
        took = await stage.at_end()
        assert [] == await stage.differences()
        assert ["alerts: other-topic", "timeline: other-topic"] == discarded(stage)
        stage.sink.freeze()
        await stage.writer.close()
        await asyncio.to_thread(made_anew, bootstrap, PROFILES, IDENTITIES)
        await stage.writer.load(6000)
        stage.sink.thaw()
        known = await asyncio.to_thread(sink_log.identity, bootstrap, SIZES)
        thawed = await stage.until(lambda: known.topics[PROFILES] in _topic_ids(stage.sink.database))
        assert [] == await stage.differences(remembers=True)
        assert {"identities: other-topic", "profiles: other-topic"} < set(discarded(stage))
        say(f"topics made anew: copied again in {took:.1f} s from a start, in {thawed:.1f} s after a freeze")
        assert [] == stage.sink.exits

    play(bootstrap, tmp_path, scenario)


@pytest.mark.chaos
@pytest.mark.slow
def test_offsets_beyond_the_end_are_not_believed_even_where_the_topic_is_the_same(
    bootstrap: str, tmp_path: Path
) -> None:
    """As after a restored backup of the brokers' disks: the same ids, fewer records."""

    async def scenario(stage: Stage) -> None:
        await stage.writer.load(500)
        stage.sink.start()
        await stage.at_end()
        assert 0 == stage.sink.stop()
        with closing(sqlite3.connect(stage.sink.database)) as database:
            ahead = "UPDATE sink_offsets SET next_offset = next_offset + 7 WHERE topic = ? AND partition = 1"
            database.execute(ahead, [PROFILES])
            database.execute("UPDATE profiles SET name = 'from a lost future', log_offset = log_offset + 7")
            database.commit()
        stage.sink.start()
        await stage.until(lambda: bool(discarded(stage)))
        assert [] == await stage.differences(remembers=True)
        assert ["profiles: beyond-end"] == discarded(stage)

    play(bootstrap, tmp_path, scenario)


@pytest.mark.parametrize(
    ("days", "lives_on"),
    [
        (HALF_OF_DELETE_RETENTION + 1, False),
        pytest.param(1, True, marks=[pytest.mark.chaos, pytest.mark.slow]),
    ],
    ids=["too long", "not too long"],
)
def test_what_was_deleted_and_cleaned_up_while_a_sink_was_away_for_too_long_does_not_live_on(
    days: int, lives_on: bool, bootstrap: str, tmp_path: Path, say: Say
) -> None:
    """The tombstone is cleaned up in seconds here, and the database made to say that it paused for ``days``.

    After a day the sink trusts Kafka to have kept all tombstones, which is not so here: the row lives on. It shows that
    the other case was no luck.
    """
    quick = {"segment.ms": "100", "delete.retention.ms": "0", "min.cleanable.dirty.ratio": "0.01"}

    async def scenario(stage: Stage) -> None:
        await asyncio.to_thread(configured, bootstrap, "BROKER", "1", {"log.cleaner.backoff.ms": "200"})
        await asyncio.to_thread(configured, bootstrap, "TOPIC", IDENTITIES, quick)
        await stage.writer.load(500)
        await stage.writer.write([_identity(GHOST, b'{"id":"c_ghost","type":"email"}')])
        stage.sink.start()
        await stage.at_end()
        assert _knows_ghost(stage.sink.database)
        assert 0 == stage.sink.stop()
        await stage.writer.write([_identity(GHOST, None)])
        began = time.monotonic()
        filler = 0
        while any(record.key == GHOST for record in (await stage.contents()).records):
            filler += 1
            await stage.writer.write([_identity(b"i/filler", b'{"id":"c_%d","type":"email"}' % filler)])
            await asyncio.sleep(0.3)
            assert time.monotonic() - began < 60, "the cleaner cleans nothing"
        cleaned = time.monotonic() - began
        with closing(sqlite3.connect(stage.sink.database)) as database:
            database.execute("UPDATE sink_offsets SET as_of_ms = as_of_ms - ?", [days * DAY_MS])
            database.commit()
        stage.sink.start()
        await stage.at_end()
        assert lives_on == _knows_ghost(stage.sink.database)
        ghost = [] if not lives_on else [f"identities: {(GHOST.decode(),)} is not on the topics"]
        assert ghost == await stage.differences(remembers=True)
        assert ([] if lives_on else ["identities: too-old"]) == discarded(stage)
        say(f"a tombstone was cleaned up in {cleaned:.1f} s; after a pause of {days} d the row lives on: {lives_on}")

    play(bootstrap, tmp_path, scenario)


@pytest.mark.chaos
@pytest.mark.slow
def test_a_topic_cut_off_before_it_was_read_is_copied_anew_if_it_may_have_had_tombstones(
    bootstrap: str, tmp_path: Path
) -> None:
    """Alerts have none; what was told of them stays although their topic has forgotten it."""
    from kafka.structs import TopicPartition

    async def scenario(stage: Stage) -> None:
        await stage.writer.load(1000)
        stage.sink.start()
        await stage.at_end()
        assert 0 == stage.sink.stop()
        alerts = _count(stage.sink.database, "alerts")
        await stage.writer.load(1000)
        ends = await sink_log.ends(bootstrap, SIZES)
        cut = {TopicPartition(name, n): ends[name, n] for name in (PROFILES, SALES) for n in range(SIZES[name])}

        def cut_off() -> None:
            with admin(bootstrap) as client:
                client.delete_records(cut)

        await asyncio.to_thread(configured, bootstrap, "TOPIC", PROFILES, {"cleanup.policy": "compact,delete"})
        await asyncio.to_thread(cut_off)
        await stage.writer.load(300)
        stage.sink.start()
        differences = await stage.differences(remembers=True)
        assert ["profiles: before-start"] == discarded(stage)
        assert [] == [said for said in differences if not said.startswith(("alerts: (", "alert_departments: ("))]
        assert _count(stage.sink.database, "alerts") >= alerts
        assert "records-missed" in stage.sink.log()

    play(bootstrap, tmp_path, scenario)


@pytest.mark.chaos
@pytest.mark.slow
def test_another_cluster_under_the_same_name_is_copied_anew_once_it_has_the_topics(tmp_path: Path, say: Say) -> None:
    """The broker's disk is lost, and a new broker takes its place at its address."""
    broker = EmbeddedBroker(tmp_path / "own")
    bootstrap = broker.start()
    home = tmp_path / "own" / "kafka"

    async def scenario(stage: Stage) -> None:
        await asyncio.to_thread(apply_topics, bootstrap)
        await stage.writer.load(2000)
        stage.sink.start()
        await stage.at_end()
        await stage.writer.close()
        await asyncio.to_thread(broker.stop)
        (home / "topics").rename(tmp_path / "lost")
        assert bootstrap == await asyncio.to_thread(broker.start)
        before = stage.reached()
        await asyncio.sleep(5.0)
        assert before == stage.reached(), "without topics there is nothing to say about the database"
        await asyncio.to_thread(apply_topics, bootstrap)
        await stage.writer.load(3000)
        known = await asyncio.to_thread(sink_log.identity, bootstrap, SIZES)
        took = await stage.until(lambda: known.topics[PROFILES] in _topic_ids(stage.sink.database))
        assert [] == await stage.differences(remembers=True)
        kinds = ("alerts", "identities", "profiles", "timeline")
        assert [f"{kind}: other-cluster" for kind in kinds] == discarded(stage)
        say(f"another cluster: noticed and copied {took:.1f} s after its topics were written")

    try:
        play(bootstrap, tmp_path / "stage", scenario)
    finally:
        broker.stop()


def _identity(key: bytes, value: bytes | None) -> Draft:
    return Draft(IDENTITIES, 0, key, value)


def _knows_ghost(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as database:
        return bool(database.execute("SELECT 1 FROM identities WHERE key = ?", [GHOST.decode()]).fetchone())


def _count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _topic_ids(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {name for (name,) in database.execute("SELECT topic_id FROM sink_offsets")}
