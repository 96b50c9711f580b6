"""One partition on its owner, against a real Kafka: taken over, given up, refused."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import pytest
from aiokafka.errors import KafkaError

from engine.kafka.errors import Fatal, RecordTooLarge, TakenOver
from engine.kafka.limits import Limits
from engine.transactional.batch import Batch
from engine.transactional.transaction import Output, commit, new_producer
from tests.integration.engine_shop import Notes, shop, until

pytestmark = pytest.mark.kafka


def test_a_batch_without_an_owner_is_dropped_and_opens_nothing(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(1)
            records = await place.read(place.source)
            notes = Notes()
            owner = place.partitions(notes)
            await place.hand(owner, records)
            await owner.assigned({0})
            await place.ready(owner, notes)
            await owner.revoked({0})
            await place.hand(owner, records)
            assert ["fenced", "restored 0"] == notes.happened
            assert None is await place.committed()

    asyncio.run(story())


def test_who_was_fenced_commits_nothing_and_says_who_took_over(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(6))
            records = await place.read(place.source)
            old, new = Notes(), Notes()
            first = await place.open(old)
            await place.hand(first, records[:2])
            second = await place.open(new)
            assert ["fenced", "restored 2"] == new.happened
            await place.hand(first, records[2:])
            assert [TakenOver] == [type(error) for error in old.fatal]
            assert f"another worker took over partition 0 of {place.source.topic}" in str(old.fatal[0])
            await place.hand(second, records[2:])
            assert [(str(n), n // 3 + 1) for n in range(6)] == await place.counted()

    asyncio.run(story())


def test_an_older_owners_open_transaction_ends_with_the_fence_before_the_offset_is_read(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(4))
            records = await place.read(place.source)
            zombie = new_producer(bootstrap, f"{place.name}-0", Limits(transaction=60))
            await zombie.start()
            try:
                await commit(zombie, place.source, 1, place.name, {}, place.limits)
                await zombie.begin_transaction()
                await zombie.send_and_wait(place.target.topic, b"never seen", b"k", partition=0)
                await zombie.send_offsets_to_transaction({place.source: 3}, place.name)
                notes = Notes()
                began = time.monotonic()
                owner = await place.open(notes)
                assert time.monotonic() - began < 10
                assert {0: 1} == owner.positions
                with pytest.raises(KafkaError):
                    await zombie.commit_transaction()
                await place.hand(owner, records[1:])
                assert ["1", "2", "3"] == [one for one, _ in await place.counted()]
                assert 4 == await place.committed()
            finally:
                await zombie.stop()

    asyncio.run(story())


def test_an_owner_that_still_commits_while_another_takes_over_doubles_nothing(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(200))
            records = await place.read(place.source)
            old, new = Notes(), Notes()
            first = await place.open(old)

            async def work() -> None:
                for record in records:
                    await place.hand(first, [record])

            working = asyncio.create_task(work())
            await until(lambda: len(old.happened) > 5)
            second = await place.open(new)
            await working
            assert [TakenOver] == [type(error) for error in old.fatal]
            assert second.positions[0] > 3
            await place.hand(second, records)
            assert [(str(n), n // 3 + 1) for n in range(200)] == await place.counted()

    asyncio.run(story())


def test_a_partition_that_comes_back_keeps_its_state_unless_someone_else_committed(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(6))
            records = await place.read(place.source)
            mine, others = Notes(), Notes()
            owner = await place.open(mine)
            await place.hand(owner, records[:2])
            await owner.revoked({0})
            await owner.assigned({0})
            await place.ready(owner, mine)
            assert ["fenced", "restored 0", "batch of 2", "fenced", "kept"] == mine.happened
            await place.hand(owner, records[2:3])
            await owner.revoked({0})
            other = await place.open(others)
            await place.hand(other, records[3:5])
            await owner.assigned({0})
            await place.ready(owner, mine)
            assert ["fenced", "restored 5"] == mine.happened[-2:]
            await place.hand(owner, records[5:])
            assert [(str(n), n // 3 + 1) for n in range(6)] == await place.counted()

    asyncio.run(story())


def test_a_revoked_partition_finishes_its_unit_of_work_and_drops_what_waits(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(6))
            records = await place.read(place.source)
            notes = Notes()
            owner = await place.open(notes)
            done: list[int] = []
            for at in (0, 2, 4):
                batch = Batch(place.source.topic, 0, records[at : at + 2], at, at + 2, lambda at=at: done.append(at))  # type: ignore[misc]  # binds the loop's value
                owner.submit([batch])
            await asyncio.sleep(0)  # the first one is under way
            await owner.revoked({0})
            assert [0, 2, 4] == sorted(done)
            assert 2 == await place.committed()
            assert [] == notes.fatal

    asyncio.run(story())


def test_a_unit_of_work_that_takes_too_long_to_leave_is_aborted_and_its_state_rebuilt(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(6))
            records = await place.read(place.source)
            notes = Notes()
            hasty = Limits(transaction=5, answer=8, fence=20, stall=8, leave=0.001)
            owner = await place.open(notes, hasty)
            done = asyncio.Event()
            owner.submit([Batch(place.source.topic, 0, records[:3], 0, 3, done.set)])
            await asyncio.sleep(0)
            await owner.revoked({0})
            await asyncio.wait_for(done.wait(), 30)
            await owner.assigned({0})
            await place.ready(owner, notes)
            assert "kept" not in notes.happened
            position = owner.positions[0]
            await place.hand(owner, records[position:])
            assert [(str(n), n // 3 + 1) for n in range(6)] == await place.counted()
            assert [] == notes.fatal

    asyncio.run(story())


@pytest.mark.faults
def test_a_partition_is_given_up_at_any_moment_of_its_opening(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(40))
            records = await place.read(place.source)
            notes = Notes()
            owner = await place.open(notes)
            await place.hand(owner, records[:30])
            for step in range(24):
                await owner.revoked({0})
                await owner.assigned(())
                await owner.assigned({0})
                await asyncio.sleep(step / 50)
                began = time.monotonic()
                await owner.revoked({0})
                assert time.monotonic() - began < 2
            await owner.assigned({0})
            await place.ready(owner, notes)
            await place.hand(owner, records[30:])
            assert [(str(n), n // 3 + 1) for n in range(40)] == await place.counted()

    asyncio.run(story())


def test_nothing_is_owned_after_the_end(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            notes = Notes()
            owner = await place.open(notes)
            await owner.close()
            await owner.assigned({0})
            assert {} == owner.positions
            assert ["fenced", "restored 0"] == notes.happened

    asyncio.run(story())


def test_a_batch_that_the_broker_refuses_ends_the_process_and_commits_nothing(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(1)
            notes = Notes()
            owner = await place.open(notes, Limits(transaction=40))
            place.processors[-1].adds = Output(f"{place.name}.narrow", 0, b"k", b"v" * 5_000)
            await place.hand(owner, await place.read(place.source))
            assert 1 == len(notes.fatal)
            assert "MessageSizeTooLargeError" in str(notes.fatal[0])
            assert None is await place.committed()
            began = time.monotonic()
            assert [] == await place.counted()
            assert time.monotonic() - began < 20, "readers had to wait for the transaction's time-out"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("adds", "fails", "error", "words"),
    [
        (Output("narrow", 0, b"key", b"v" * 3_000_000), None, RecordTooLarge, "key 3 bytes, value 3000000 bytes"),
        (None, ZeroDivisionError("a bug in a rule"), Fatal, "ZeroDivisionError: a bug in a rule"),
    ],
)
def test_a_decision_that_fails_ends_the_process_and_commits_nothing(
    bootstrap: str, tmp_path: Path, adds: Output | None, fails: Exception | None, error: type[Fatal], words: str
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(1)
            notes = Notes()
            owner = await place.open(notes)
            if adds is not None:
                place.processors[-1].adds = msgspec.structs.replace(adds, topic=f"{place.name}.{adds.topic}")
            place.processors[-1].fails = fails
            records = await place.read(place.source)
            await place.hand(owner, records)
            assert [error] == [type(one) for one in notes.fatal]
            assert words in str(notes.fatal[0])
            assert None is await place.committed()
            await place.hand(owner, records)  # a partition that has failed drops, and takes nothing up again
            assert 1 == len(notes.fatal)

    asyncio.run(story())


def test_an_idle_producer_is_fenced_anew_and_goes_on(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(4))
            records = await place.read(place.source)
            notes = Notes()
            owner = await place.open(notes, Limits(refence=0.5))
            await place.hand(owner, records[:2])
            await until(lambda: notes.happened.count("kept") >= 1)
            await place.hand(owner, records[2:])
            assert [(str(n), n // 3 + 1) for n in range(4)] == await place.counted()

    asyncio.run(story())
