"""A worker that the network cuts off, for longer than its session and its transaction live, and that comes back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from .arena import DRAIN_SECONDS, arena, members, now, verdict
from .bus import Bus
from .business import business
from .checker import Problem
from .fleet import Fleet
from .island import ISLAND, Island
from .namespace import in_namespace

SEED, EVENTS, CUSTOMERS, RATE = 11, 24_000, 800, 400.0
CUTS = (13.0, 25.0)
"""Seconds. A session lasts 10, a transaction 10, and a worker waits 12 for an answer."""
MOST_PAUSE = 30.0
LOOPBACK = "127.0.0.1"


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
@in_namespace
def test_a_worker_that_is_cut_off_changes_nothing_and_works_again_when_it_is_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Island() as island, arena(tmp_path, SEED) as (broker, bus):
        away = bus.new_fleet("island")
        try:
            told, problems, met = asyncio.run(ordeal(bus, away, island, broker.bootstrap))
        finally:
            away.destroy()
    with capsys.disabled():
        print(f"\n{told}")
    assert [] == problems, away.log()
    both = [ISLAND, LOOPBACK]
    assert [both, [LOOPBACK], [LOOPBACK], both] == met
    assert len(CUTS) == len(bus.progress.recoveries)
    assert max(bus.progress.recoveries) <= MOST_PAUSE


async def ordeal(bus: Bus, away: Fleet, island: Island, bootstrap: str) -> tuple[str, list[Problem], list[list[str]]]:
    """The run: in words, what is wrong, and who was in the group: before, at the end of each cut, and afterwards."""
    with island.entered():
        away.start("b")
    bus.fleet.start("a")

    def supervise() -> None:
        bus.fleet.supervise()
        with island.entered():
            away.supervise()

    async def work(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            supervise()
            await bus.progress.look()
            await asyncio.sleep(0.2)

    async def together() -> list[str]:
        """Who is in the group once the worker of the island is, or half a minute later."""
        for _ in range(30):
            if ISLAND in await members(bootstrap):
                break
            await work(1)
        return await members(bootstrap)

    async with bus.progress:
        met = [await together()]
        publishing = asyncio.create_task(bus.publish(business(SEED, EVENTS, CUSTOMERS, now()), RATE))
        await work(5)
        for seconds in CUTS:
            await bus.progress.killed()
            island.cut()
            await work(seconds)
            met.append(await members(bootstrap))
            island.mend()
            await together()
            await work(5)  # it has partitions again
        met.append(await together())
        while not publishing.done():
            await work(0.5)
        await publishing
        await bus.progress.drained(DRAIN_SECONDS, supervise)
        stops = [*bus.fleet.stop(), *away.stop()]
        problems = await bus.judged()
    pauses = ", ".join(f"{seconds:.1f}" for seconds in bus.progress.recoveries)
    told = (
        f"row network partition: seed {SEED}, {bus.published} events, cut off for {CUTS} s; others went on after "
        f"{pauses} s; the cut-off worker ended {len(away.exits)} times {away.exits}, the other {bus.fleet.exits}; "
        f"stopped with {[code for code, _ in stops]}; {verdict(problems)}\n  {bus.figures()}"
    )
    return told, problems, met
