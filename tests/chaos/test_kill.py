"""The whole bus on a real Kafka, its workers killed and frozen at random: nothing lost, nothing twice, nothing else.

A longer run: ``CXBUS_CHAOS_EVENTS``, ``_KILLS``, ``_FREEZES``, ``_SEED``; ``_RATE`` is events/s to publish.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker

from .bus import Bus
from .business import business
from .checker import Problem

EVENTS = int(os.environ.get("CXBUS_CHAOS_EVENTS", "101000"))
KILLS = int(os.environ.get("CXBUS_CHAOS_KILLS", "6"))
FREEZES = int(os.environ.get("CXBUS_CHAOS_FREEZES", "2"))
SEED = int(os.environ.get("CXBUS_CHAOS_SEED", "1"))
RATE = float(os.environ.get("CXBUS_CHAOS_RATE", "1200"))

PARTITIONS = 4
CUSTOMERS = EVENTS // 30
DRAIN_SECONDS = 120.0


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
def test_nothing_is_lost_doubled_or_invented_when_workers_are_killed_and_frozen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        bus = Bus(tmp_path, broker.bootstrap, PARTITIONS, SEED)
        bus.apply_topics()
        try:
            told, problems = asyncio.run(ordeal(bus))
        finally:
            bus.fleet.destroy()
    with capsys.disabled():
        print(f"\n{told}")
    assert [] == problems, bus.fleet.log()
    assert KILLS == len(bus.progress.recoveries)


async def ordeal(bus: Bus) -> tuple[str, list[Problem]]:
    """The run; what happened in words, and what is wrong."""
    began = time.monotonic()
    async with bus.progress:
        for name in ("a", "b"):
            bus.fleet.start(name)
        publishing = asyncio.create_task(bus.publish(business(SEED, EVENTS, CUSTOMERS, now()), RATE))
        await bus.suffer(KILLS, FREEZES)
        while not publishing.done():
            await bus.work(0.5)
        await publishing
        await bus.progress.drained(DRAIN_SECONDS, bus.fleet.supervise)
        seconds = time.monotonic() - began
        stops = bus.fleet.stop()
        exits = Counter(code for _, code in bus.fleet.exits)
        problems = await bus.judged()
        judged = time.monotonic() - began - seconds
        events = bus.published
        if not problems:
            problems = await restored(bus)
    told = [
        f"chaos: seed {SEED}, {events} events, {KILLS} kills, {FREEZES} freezes, {seconds:.0f} s "
        f"({events / seconds:.0f} events/s), judged in {judged:.0f} s",
        f"  {bus.figures()}",
        f"  recovered after {', '.join(f'{s:.1f}' for s in sorted(bus.progress.recoveries))} s; "
        f"exits by themselves {dict(exits)}; stopped with {[(code, round(s, 1)) for code, s in stops]}",
        f"  problems: {dict(Counter(problem.kind for problem in problems))}",
        *(f"    {problem.kind}: {problem.what[:400]}" for problem in problems[:20]),
    ]
    return "\n".join(told), problems


async def restored(bus: Bus) -> list[Problem]:
    """What a worker without local state makes of one more event per partition is what the others would have made."""
    bus.fleet = bus.new_fleet("third")
    bus.fleet.start("c")
    await bus.publish(bus.one_more(now()), RATE)
    await bus.progress.drained(DRAIN_SECONDS, bus.fleet.supervise)
    bus.fleet.stop()
    return await bus.judged()


def now() -> int:
    """µs since 1970."""
    return time.time_ns() // 1000
