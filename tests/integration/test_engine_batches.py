"""One partition's batches, against a real Kafka: however they are cut, and what the group hears of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from engine.kafka.errors import Gap
from engine.transactional.batch import Batch
from tests.integration.engine_shop import Notes, shop, until

pytestmark = pytest.mark.kafka


def test_how_a_batch_was_cut_never_shows(bootstrap: str, tmp_path: Path) -> None:
    async def outputs(size: int) -> list[tuple[str, int]]:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(30))
            records = await place.read(place.source)
            owner = await place.open(Notes())
            for at in range(0, 30, size):
                await place.hand(owner, records[at : at + size])
            return await place.counted()

    async def story() -> None:
        whole = await outputs(30)
        assert 30 == len(whole)
        assert whole == await outputs(1) == await outputs(7)

    asyncio.run(story())


def test_records_below_the_next_offset_are_skipped_and_a_hole_ends_the_process(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(9))
            records = await place.read(place.source)
            notes = Notes()
            owner = await place.open(notes)
            await place.hand(owner, records[:4])
            await place.hand(owner, records[:6])
            await place.hand(owner, records[2:5])
            assert [(str(n), n // 3 + 1) for n in range(6)] == await place.counted()
            assert 6 == await place.committed()
            await place.hand(owner, records[8:])
            assert [Gap] == [type(error) for error in notes.fatal]
            assert "expected offset 6, got a batch from 8 on" in str(notes.fatal[0])
            assert 6 == await place.committed()

    asyncio.run(story())


def test_markers_without_records_only_move_the_offset(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            notes = Notes()
            owner = await place.open(notes)
            done = asyncio.Event()
            owner.submit([Batch(place.source.topic, 0, [], 0, 5, done.set)])
            await asyncio.wait_for(done.wait(), 30)
            assert 5 == await place.committed()
            assert [] == await place.counted()
            assert "batch of 0" == notes.happened[-1]

    asyncio.run(story())


def test_a_large_batch_is_committed_part_by_part_and_its_rest_left_to_the_next_owner(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            many = 600
            await place.publish(*range(many))
            records = await place.read(place.source)
            old, new = Notes(), Notes()
            first = await place.open(old, replace(place.limits, slice=1e-9, unit=1e-9))  # parts of one record
            handing = asyncio.create_task(place.hand(first, records))
            await until(lambda: "batch of 1" in old.happened)
            await first.revoked({0})
            await handing
            parts = [int(one.removeprefix("batch of ")) for one in old.happened if one.startswith("batch of ")]
            assert {1} == set(parts)
            assert sum(parts) < many, "it was to be interrupted"
            assert sum(parts) == await place.committed()
            second = await place.open(new)
            await place.hand(second, records[second.positions[0] :])
            assert [(str(n), n // 3 + 1) for n in range(many)] == await place.counted()

    asyncio.run(story())


def test_a_batch_that_takes_several_units_of_work_tells_of_each(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(4))
            records = await place.read(place.source)
            owner = await place.open(Notes(), replace(place.limits, slice=1e-9, unit=1e-9))  # parts of one record
            told: list[str] = []
            done = asyncio.Event()
            ends = records[0].offset, records[-1].offset + 1
            owner.submit([Batch(place.source.topic, 0, records, *ends, done.set, None, lambda: told.append("part"))])
            await asyncio.wait_for(done.wait(), 30)
            assert ["part"] * 3 == told

    asyncio.run(story())


def test_the_group_hears_a_moment_later_how_far_a_partition_is_and_at_the_latest_at_the_parting(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(9))
            records = await place.read(place.source)
            seldom, moment = replace(place.limits, offsets=60), replace(place.limits, offsets=0.5)
            first = await place.open(Notes(), seldom)
            await place.hand(first, records[:2])
            await place.hand(first, records[2:4])
            assert 2 == await place.committed(), "the first unit after an opening tells it at once"
            await first.revoked({0})
            assert 4 == await place.committed()
            second = await place.open(Notes(), moment)
            await place.hand(second, records[4:6])
            await place.hand(second, records[6:7])
            await asyncio.sleep(2)
            assert (7, {0: 7}) == (await place.committed(), second.positions)

    asyncio.run(story())


def test_what_the_group_has_not_heard_of_a_killed_owner_is_not_done_twice(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(6))
            records = await place.read(place.source)
            killed = await place.open(Notes(), replace(place.limits, offsets=60))
            await place.hand(killed, records[:2])
            await place.hand(killed, records[2:4])
            assert 2 == await place.committed()
            heir = await place.open(Notes())
            assert ({0: 4}, 4) == (heir.positions, await place.committed())
            await place.hand(heir, records[2:])
            assert [(str(n), n // 3 + 1) for n in range(6)] == await place.counted()

    asyncio.run(story())
