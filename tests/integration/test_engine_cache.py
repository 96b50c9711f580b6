"""What a restart finds: a local cache that may be trusted or not, and progress that Kafka may have forgotten."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from engine.kafka.mark import MARK
from engine.store.store import Store
from engine.transactional.partitions import TransactionalPartitions
from engine.transactional.progress import read_progress
from engine.transactional.transaction import Output
from tests.integration.engine_shop import Notes, Shop, shop, until

pytestmark = [pytest.mark.kafka, pytest.mark.faults]


def told(bootstrap: str, directory: Path, tale: Callable[[Shop], Awaitable[None]]) -> None:
    """Tell a story in a shop whose owners find what the one before left on disk."""

    async def story() -> None:
        async with shop(bootstrap, directory) as place:
            place.warm = True
            await tale(place)

    asyncio.run(story())


async def work(place: Shop, first: int, count: int, notes: Notes | None = None) -> Notes:
    """One owner's life: it opens, counts ids ``first`` .., and closes."""
    notes = notes or Notes()
    await place.publish(*range(first, first + count))
    owner = await place.open(notes)
    await hand_rest(place, owner)
    await owner.close()
    return notes


async def hand_rest(place: Shop, owner: TransactionalPartitions) -> None:
    """What comes next in the source, as the transport would bring it."""
    position = owner.positions[0]
    rest = [record for record in await place.read(place.source) if record.offset >= position]
    if rest:
        await place.hand(owner, rest, start=position)


async def counts(place: Shop) -> list[int]:
    """How often each id was counted: by the last count of each key, their number."""
    latest: dict[str, int] = {}
    for record in await place.read(place.target):
        event = json.loads(record.value)
        latest[event["key"]] = event["n"]
    return sorted(latest.values())


async def admin(place: Shop, deed: Callable[[AIOKafkaAdminClient], Awaitable[object]]) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=place.bootstrap)
    await client.start()
    try:
        await deed(client)
    finally:
        await client.close()


def test_a_restart_reads_only_what_others_wrote_meanwhile(bootstrap: str, tmp_path: Path) -> None:
    async def tale(place: Shop) -> None:
        assert ["fenced", "restored 0", "batch of 30"] == (await work(place, 0, 30)).happened
        place.warm = False
        assert ["fenced", "restored 30", "batch of 6"] == (await work(place, 30, 6)).happened
        place.warm = True
        assert ["fenced", "restored 6", "batch of 3"] == (await work(place, 36, 3)).happened
        assert ["fenced", "restored 0"] == (await work(place, 39, 0)).happened
        assert [13, 13, 13] == await counts(place)

    told(bootstrap, tmp_path, tale)


def test_whoever_has_looked_through_much_tells_it_before_any_event_comes(
    bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.transactional.foreign_search.MUCH", 20)

    async def tale(place: Shop) -> None:
        async def seen() -> int | None:
            reached = await read_progress(place.bootstrap, place.progress.place(0), place.progress.key(0))
            return None if reached is None else max(reached.seen.values())

        async with AIOKafkaProducer(bootstrap_servers=place.bootstrap) as producer:
            for number, tells in ((10, False), (20, True), (0, False)):
                before = await seen()
                for _ in range(number):
                    value = json.dumps({"key": "k1", "n": 1, "id": "x", "offset": 0, "copy": False}).encode()
                    await producer.send_and_wait(place.target.topic, value, b"k1", 0, headers=[MARK])
                await work(place, 0, 0)
                assert tells is (await seen() != before)

    told(bootstrap, tmp_path, tale)


def test_a_restore_that_is_cut_short_goes_on_from_where_it_was(
    bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.transactional.restore.BATCH_RECORDS", 10)

    async def tale(place: Shop) -> None:
        place.warm = False
        await work(place, 0, 30)
        place.warm, place.patience = True, 2
        notes = Notes()
        await place.partitions(notes).assigned({0})
        await until(lambda: bool(notes.fatal))
        place.patience = None
        assert ["fenced", "restored 10", "batch of 3"] == (await work(place, 30, 3)).happened
        assert [11, 11, 11] == await counts(place)

    told(bootstrap, tmp_path, tale)


def test_what_was_not_committed_is_not_in_the_cache(bootstrap: str, tmp_path: Path) -> None:
    async def tale(place: Shop) -> None:
        await work(place, 0, 9)
        await place.publish(9, 10, 11)
        notes = Notes()
        owner = await place.open(notes)
        place.processors[-1].adds = Output(f"{place.name}.narrow", 0, b"k", b"v" * 5_000)  # more than the broker takes
        await hand_rest(place, owner)
        assert 1 == len(notes.fatal)
        await owner.close()
        assert ["fenced", "restored 0", "batch of 6"] == (await work(place, 12, 3)).happened
        events = [json.loads(record.value) for record in await place.read(place.target)]
        expected = [(str(n), n // 3 + 1, False) for n in range(15)]
        assert expected == [(event["id"], event["n"], event["copy"]) for event in events]

    told(bootstrap, tmp_path, tale)


def test_a_cache_that_is_too_old_is_read_anew(bootstrap: str, tmp_path: Path) -> None:
    async def tale(place: Shop) -> None:
        await work(place, 0, 9)
        store = Store(tmp_path / "cache" / "0", ("counts", "seen"))
        mark = store.checkpoint()
        assert mark is not None
        store.flush_pending(dataclasses.replace(mark, time=mark.time - place.limits.cache - 60))
        store.close()
        assert ["fenced", "restored 9", "batch of 3"] == (await work(place, 9, 3)).happened
        assert [4, 4, 4] == await counts(place)

    told(bootstrap, tmp_path, tale)


def test_the_cache_of_a_topic_that_was_made_anew_is_discarded(bootstrap: str, tmp_path: Path) -> None:
    async def tale(place: Shop) -> None:
        await work(place, 0, 9)
        await anew(place, place.target.topic)
        assert ["fenced", "restored 0", "batch of 3"] == (await work(place, 9, 3)).happened
        assert [1, 1, 1] == await counts(place), "nothing of the old topic is left"

    told(bootstrap, tmp_path, tale)


def test_an_input_topic_that_was_made_anew_is_read_from_its_beginning(bootstrap: str, tmp_path: Path) -> None:
    async def tale(place: Shop) -> None:
        await work(place, 0, 30)
        await anew(place, place.source.topic)
        await work(place, 100, 6)
        assert [12, 12, 12] == await counts(place), "the six new ones are counted, though offset 30 had been reached"

    told(bootstrap, tmp_path, tale)


def test_progress_is_known_when_kafka_has_forgotten_the_groups_offset(bootstrap: str, tmp_path: Path) -> None:
    async def tale(place: Shop) -> None:
        await work(place, 0, 30)
        place.group = f"{place.name}-forgotten"
        assert await place.committed() is None
        notes = Notes()
        owner = await place.open(notes)
        assert {0: 30} == owner.positions
        assert 30 == await place.committed(), "the group is put right at once"
        await owner.close()
        assert ["fenced", "restored 0", "batch of 3"] == (await work(place, 30, 3)).happened

    told(bootstrap, tmp_path, tale)


def test_records_deleted_before_they_were_read_are_passed_over_and_told(bootstrap: str, tmp_path: Path) -> None:
    async def tale(place: Shop) -> None:
        await work(place, 0, 9)
        await place.publish(*range(9, 21))
        await admin(place, lambda client: client.delete_records({place.source: RecordsToDelete(before_offset=15)}))
        place.group = f"{place.name}-forgotten"  # and Kafka has forgotten the group's offset as well
        assert ["fenced", "lost 6", "restored 0", "batch of 9"] == (await work(place, 21, 3)).happened
        assert [6, 6, 6] == await counts(place), "9 and the 9 that are left"

    told(bootstrap, tmp_path, tale)


async def anew(place: Shop, topic: str) -> None:
    """Delete a topic and make it again."""

    async def deed(client: AIOKafkaAdminClient) -> None:
        await client.delete_topics([topic])
        for _ in range(50):
            await asyncio.sleep(0.2)
            answer = await client.create_topics([NewTopic(topic, 1, 1, topic_configs={"cleanup.policy": "compact"})])
            if not answer.topic_errors[0][1]:
                break
        await asyncio.sleep(1)

    await admin(place, deed)
