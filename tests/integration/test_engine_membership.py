"""Who has which partition, and how long nobody has, when workers die, stop, or claim to be each other."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from pathlib import Path

import pytest

from tests.integration.engine_town import PARTITIONS, Town, town

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

#: Seconds: long enough for a worker to be back, and for the others to take over from one that left, on a busy machine.
SESSION = 40.0
#: What is left of a session when its worker leaves the group.
SOON = SESSION - 2


def told(place: Town, worker: int, event: str) -> list[int]:
    """The partitions of which a worker's log says so, in the order in which it does."""
    lines = (place.directory / f"worker-{worker}.log").read_text().splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    return [one["partition"] for one in said if one["event"] == event and one["topic"].endswith(".b")]


async def owns(place: Town, worker: int, partitions: int, seconds: float) -> float:
    """Seconds until the worker has fenced so many partitions."""
    began = time.monotonic()
    while len(told(place, worker, "partition fenced")) < partitions:
        assert time.monotonic() - began < seconds, f"{told(place, worker, 'partition fenced')}\n{place.log()}"
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def shared(place: Town) -> None:
    """Two workers, each with half of the partitions and some work done."""
    place.session = SESSION
    place.start(0)
    await owns(place, 0, PARTITIONS, 60)
    place.start(1)
    await owns(place, 1, PARTITIONS // 2, 60)
    await place.publish(0, 1_000)
    await place.counted(1_000, seconds=60)


def test_a_killed_worker_that_is_back_in_time_gets_its_partitions_without_a_rebalance(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with town(bootstrap, tmp_path) as place:
            await shared(place)
            before = told(place, 0, "partition fenced"), told(place, 1, "partition fenced")
            place.kill(1)
            await owns(place, 1, PARTITIONS, 60)
            await place.publish(1_000, 1_000)
            await place.counted(2_000, seconds=60)
            again = told(place, 1, "partition fenced")[len(before[1]) :]
            assert (before[0], sorted(before[1])) == (told(place, 0, "partition fenced"), sorted(again)), (
                "nobody else was touched"
            )

    asyncio.run(story())


def test_a_stopped_workers_partitions_go_over_at_once(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with town(bootstrap, tmp_path) as place:
            await shared(place)
            before = len(told(place, 0, "partition fenced"))
            code, _ = place.stop(1)
            assert 0 == code
            seconds = await owns(place, 0, before + PARTITIONS, 60)
            assert seconds < SOON, "its session was waited for"
            await place.publish(1_000, 1_000)
            await place.counted(2_000, seconds=60)

    asyncio.run(story())


def test_of_two_workers_with_one_id_the_displaced_one_ends(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with town(bootstrap, tmp_path) as place:
            place.start(0)
            await owns(place, 0, PARTITIONS, 60)
            (tmp_path / "worker-1").mkdir()
            shutil.copy(tmp_path / "worker-0" / "instance", tmp_path / "worker-1" / "instance")
            place.start(1)
            assert 1 == await asyncio.to_thread(place.workers.pop(0).wait, 40)
            assert "it was frozen, or its id is used twice" in (tmp_path / "worker-0.log").read_text()
            await place.publish(0, 500)
            await place.counted(500, seconds=60)

    asyncio.run(story())
