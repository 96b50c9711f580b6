"""Records of others where only an owner writes: passed over, reported once, and never a reason to end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from engine.kafka.mark import MARK, Newer
from engine.transactional.progress import WrittenBefore
from engine.transactional.transaction import Output
from tests.integration.engine_shop import Clumsy, Notes, Shop, shop
from tests.integration.test_engine_cache import hand_rest, work

pytestmark = [pytest.mark.kafka, pytest.mark.faults]


class Reporting(Clumsy):
    """A processor that writes a letter about each foreign record, and can't read what is no JSON."""

    def restore(self, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        readable = [record for record in records if record.value is not None and record.value.startswith(b"{")]
        super().restore(readable)
        return [record for record in records if record not in readable]

    def foreign(self, records: Sequence[ConsumerRecord]) -> Sequence[Output]:
        places = [f"{record.topic.rpartition('.')[2]}/{record.offset}" for record in records]
        return [Output(f"{self.name}.narrow", 0, None, place.encode(), marked=False) for place in places]


def told(bootstrap: str, directory: Path, tale: Callable[[Shop], Awaitable[None]]) -> None:
    async def story() -> None:
        async with shop(bootstrap, directory) as place:
            place.kind, place.warm = Reporting, True
            await tale(place)

    asyncio.run(story())


async def intrude(
    place: Shop, target: TopicPartition, value: bytes | None, key: bytes | None = None, *headers: tuple[str, bytes]
) -> int:
    """Somebody else writes; the offset."""
    async with AIOKafkaProducer(bootstrap_servers=place.bootstrap) as producer:
        sent = await producer.send_and_wait(target.topic, value, key, target.partition, headers=list(headers))
    return int(sent.offset)


async def letters(place: Shop) -> list[str]:
    found = await place.read(TopicPartition(f"{place.name}.narrow", 0))
    return [record.value.decode() for record in found]


async def counts(place: Shop) -> list[int]:
    """How often each id was counted, by what the owners wrote."""
    latest: dict[str, int] = {}
    for record in await place.read(place.target):
        if MARK in record.headers and record.value != b"junk":
            event = json.loads(record.value)
            latest[event["key"]] = event["n"]
    return sorted(latest.values())


STRANGE = [
    (b"no JSON", b""),  # without any key Kafka takes none on a compacted topic
    (b"no JSON", b"k1"),
    (b'{"key": "k1", "n": 900, "id": "x", "offset": 0, "copy": false}', b"k1/1"),
    (None, b"k1/1"),
    (b"[]", b"\xff"),
]


@pytest.mark.parametrize("warm", [True, False])
def test_foreign_records_are_passed_over_and_reported_once_by_whoever_opens_next(
    bootstrap: str, tmp_path: Path, warm: bool
) -> None:
    async def tale(place: Shop) -> None:
        place.warm = warm
        progress = place.progress.place(0)
        await work(place, 0, 9)
        expected = []
        for target, name in ((place.target, "out"), (progress, "progress")):
            for value, key in STRANGE:
                expected.append(f"{name}/{await intrude(place, target, value, key)}")
                expected.append(f"{name}/{await intrude(place, target, value, key, ('v', b'junk'))}")
        key = place.progress.key(0)
        forged = json.dumps({"topicId": "x", "offset": 9_000}).encode()
        expected.append(f"progress/{await intrude(place, progress, forged, key)}")
        expected.append(f"progress/{await intrude(place, progress, b'junk', key, MARK)}")
        expected.append(f"out/{await intrude(place, place.target, b'junk', b'k1/1', MARK)}")
        for value, strange in [*STRANGE, (b"no key", None)]:
            expected.append(f"in/{await intrude(place, place.source, value, strange)}")
        await work(place, 9, 3)
        assert sorted(expected) == sorted(await letters(place))
        await work(place, 12, 3)
        assert sorted(expected) == sorted(await letters(place))
        assert [5, 5, 5] == await counts(place)

    told(bootstrap, tmp_path, tale)


def test_what_comes_while_an_owner_works_is_reported_after_its_next_transaction(bootstrap: str, tmp_path: Path) -> None:
    async def tale(place: Shop) -> None:
        notes = Notes()
        owner = await place.open(notes)
        expected: list[str] = []
        for first in (0, 3, 6):
            await place.publish(first, first + 1, first + 2)
            await hand_rest(place, owner)
            assert expected == await letters(place)
            expected.append(f"out/{await intrude(place, place.target, b'no JSON', b'k1')}")
            if first:
                expected.append(f"progress/{await intrude(place, place.progress.place(0), None, b'k1')}")
            await place.publish(first + 100)
            await hand_rest(place, owner)
            assert sorted(expected) == sorted(await letters(place))
            expected.sort(key=(await letters(place)).index)
        await owner.close()
        assert [] == notes.fatal
        assert [name for name in notes.happened if name.startswith("foreign")] != []
        await work(place, 20, 3)
        assert expected == await letters(place)
        assert [4, 4, 7] == await counts(place)

    told(bootstrap, tmp_path, tale)


def test_many_and_large_foreign_records_are_reported_piece_by_piece(
    bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.transactional.foreign_search.FOUND_BYTES", 5_000)

    async def tale(place: Shop) -> None:
        await work(place, 0, 3)
        expected = [f"out/{await intrude(place, place.target, b'x' * 900, b'k1')}" for _ in range(8)]
        notes = Notes()
        owner = await place.open(notes)
        assert expected[:2] == await letters(place)
        for number in range(3):
            await place.publish(10 + number)
            await hand_rest(place, owner)
        await owner.close()
        assert expected == await letters(place)
        await work(place, 20, 1)
        assert expected == await letters(place)

    told(bootstrap, tmp_path, tale)


@pytest.mark.parametrize("where", ["in", "out", "progress"])
def test_a_record_of_a_later_version_ends_the_owner_for_good_and_says_where_it_is(
    bootstrap: str, tmp_path: Path, where: str
) -> None:
    async def tale(place: Shop) -> None:
        await work(place, 0, 3)
        target = {"in": place.source, "out": place.target, "progress": place.progress.place(0)}[where]
        offset = await intrude(place, target, b"{}", b"k1", ("v", b"2"))
        notes = Notes()
        owner = place.partitions(notes)
        await owner.assigned({0})
        if where == "in":
            await place.ready(owner, notes)
            await hand_rest(place, owner)
        await place.failed(notes)
        (reason,) = notes.fatal
        assert isinstance(reason, Newer)
        assert f"the record {target.topic}/0/{offset} was written by version 2" in str(reason)

    told(bootstrap, tmp_path, tale)


def test_topics_from_before_the_mark_are_refused_as_a_whole(bootstrap: str, tmp_path: Path) -> None:
    async def tale(place: Shop) -> None:
        before = json.dumps({"topicId": "an id", "offset": 3}).encode()
        offset = await intrude(place, place.progress.place(0), before, place.progress.key(0))
        notes = Notes()
        await place.partitions(notes).assigned({0})
        await place.failed(notes)
        (reason,) = notes.fatal
        assert isinstance(reason, WrittenBefore)
        assert f"{place.progress.topic}/0/{offset} is the bus's own, and has no header v" in str(reason)

    told(bootstrap, tmp_path, tale)
