"""A business of which nothing comes in order: a tenth of it twice, all of it shuffled, up to seven days late."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from agents.app import departments, rules
from agents.identifiers import Identifiers
from agents.settings import Settings
from core.event import DAY
from schemas.registry import Registry

from .arena import DRAIN_SECONDS, PARTITIONS, arena, at_work, now, verdict
from .bus import KEY, Bus
from .business import Habits, business
from .checker import Problem
from .judgement import Judge

SEED, EVENTS, CUSTOMERS, RATE = 13, 12_000, 550, 1_500.0
SHUFFLED = Habits(copied=0.1, merging=0.05)
EVERYBODY = 1_000_000


@pytest.mark.kafka
@pytest.mark.slow
def test_a_business_told_in_no_order_at_all_gives_the_alerts_that_its_definition_gives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with arena(tmp_path, SEED) as (broker, bus):
        registry = Registry.discover()
        in_force, identifiers = rules(Settings(), registry), Identifiers(KEY.encode())
        bus.judge = Judge(in_force, identifiers, departments(registry), PARTITIONS, sample=EVERYBODY)
        told, problems = asyncio.run(ordeal(bus, broker.bootstrap))
    with capsys.disabled():
        print(f"\n{told}")
    assert [] == problems, bus.fleet.log()
    assert [] == bus.fleet.exits, bus.fleet.log()


async def ordeal(bus: Bus, bootstrap: str) -> tuple[str, list[Problem]]:
    """The run; what happened in words, and what is wrong."""
    began = time.monotonic()
    async with bus.progress:
        for name in ("a", "b"):
            bus.fleet.start(name)
        await at_work(bootstrap, 2)
        sent = business(SEED, EVENTS, CUSTOMERS, now() - DAY, SHUFFLED)  # six days of business, over since yesterday
        bus.chance.shuffle(sent)
        await bus.publish(sent, RATE)
        await bus.progress.drained(DRAIN_SECONDS, bus.fleet.supervise)
        seconds = time.monotonic() - began
        stops = bus.fleet.stop()
        problems = await bus.judged()
    judged = time.monotonic() - began - seconds
    figures = bus.figures()
    told = (
        f"row disorder: seed {SEED}, {bus.published} events, {figures.copies} copies, {figures.late} late, "
        f"{seconds:.0f} s, judged in {judged:.0f} s; {figures.sampled} of {figures.states} customers held against the "
        f"plain definition; stopped with {[code for code, _ in stops]}; {verdict(problems)}\n  {figures}"
    )
    return told, problems
