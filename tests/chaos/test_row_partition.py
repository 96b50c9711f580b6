"""A worker that the network cuts off, for longer than its session and its transaction live, and that comes back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from .arena import DRAIN_SECONDS, JudgedBus, arena, ended, members, now, verdict
from .business import business
from .checker import Problem
from .fleet import Fleet
from .namespace import in_namespace
from .network_partition import FAR_ADDRESS, NetworkPartition
from .pauses import pauses, streams

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
    with NetworkPartition() as partition, arena(tmp_path, SEED) as (broker, bus):
        away = bus.new_fleet("partition")
        try:
            told, problems, met, stood = asyncio.run(scenario(bus, away, partition, broker.bootstrap))
        finally:
            away.destroy()
    with capsys.disabled():
        print(f"\n{told}")
    assert [] == problems, away.log()
    both = [FAR_ADDRESS, LOOPBACK]
    assert [both, [LOOPBACK], [LOOPBACK], both] == met
    assert len(CUTS) == len(stood)
    assert max(stood) <= MOST_PAUSE


async def scenario(
    bus: JudgedBus, away: Fleet, partition: NetworkPartition, bootstrap: str
) -> tuple[str, list[Problem], list[list[str]], list[float]]:
    """The run: in words, what is wrong, who was in the group, and how long some partition stood still after each cut.

    Who was in the group: before, at the end of each cut, and afterwards.
    """
    with partition.entered():
        away.start("b")
    bus.fleet.start("a")

    def supervise() -> None:
        bus.fleet.supervise()
        with partition.entered():
            away.supervise()

    async def work(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            supervise()
            await asyncio.sleep(0.2)

    async def together() -> list[str]:
        """Who is in the group once the worker of the far side is, or half a minute later."""
        for _ in range(30):
            if FAR_ADDRESS in await members(bootstrap):
                break
            await work(1)
        return await members(bootstrap)

    async with bus.progress:
        met = [await together()]
        publishing = asyncio.create_task(bus.publish(business(SEED, EVENTS, CUSTOMERS, now()), RATE))
        await work(5)
        for seconds in CUTS:
            partition.cut()
            bus.mark("cut")
            await work(seconds)
            met.append(await members(bootstrap))
            partition.mend()
            bus.mark("mended")
            await together()
            await work(5)  # it has partitions again
        met.append(await together())
        while not publishing.done():
            await work(0.5)
        await publishing
        await bus.progress.drained(DRAIN_SECONDS, bus.memory, supervise)
        stops = [*bus.fleet.stop(), *away.stop()]
        problems = await bus.judged()
    found = pauses(bus.marks, streams(bus.reader.log, bus.events))
    stood, mended = ([one.seconds for one in found[what]] for what in ("cut", "mended"))
    told = (
        f"row network partition: seed {SEED}, {len(bus.publication)} events, cut off for {CUTS} s; a partition stood "
        f"still for {stood} s after the cuts, {mended} s after the mendings; the cut-off worker "
        f"ended {len(away.exits)} times ({ended(away)}), the other {ended(bus.fleet)}; "
        f"stopped with {[code for code, _ in stops]}; {verdict(problems)}\n  {bus.figures()}"
    )
    return told, problems, met, stood
