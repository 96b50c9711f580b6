"""A business of which nothing comes in order: a tenth of it twice, all of it shuffled, up to seven days late."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from core.timeline.entry import DAY

from .arena import JudgedBus, arena, at_work, now, verdict
from .business import Habits, business
from .checker import Problem

SEED, EVENTS, CUSTOMERS, RATE = 13, 12_000, 550, 1_500.0
SHUFFLED = Habits(copied=0.1, merging=0.05)
EVERYBODY = 1_000_000


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
def test_a_business_told_in_no_order_at_all_gives_the_alerts_that_its_definition_gives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with arena(tmp_path, SEED, sample=EVERYBODY) as (broker, bus):
        told, problems = asyncio.run(scenario(bus, broker.bootstrap))
    with capsys.disabled():
        print(f"\n{told}")
    assert [] == problems, bus.fleet.log()
    assert [] == bus.fleet.exits, bus.fleet.log()


async def scenario(bus: JudgedBus, bootstrap: str) -> tuple[str, list[Problem]]:
    """The run; what happened in words, and what is wrong."""
    began = time.monotonic()
    async with bus.progress:
        for name in ("a", "b"):
            bus.fleet.start(name)
        await at_work(bootstrap, 2)
        sent = business(SEED, EVENTS, CUSTOMERS, now() - DAY, SHUFFLED)  # six days of business, over since yesterday
        bus.chance.shuffle(sent)
        await bus.publish(sent, RATE)
        await bus.drained()
        seconds = time.monotonic() - began
        stops = bus.fleet.stop()
        problems = await bus.judged()
    judged = time.monotonic() - began - seconds
    figures = bus.figures()
    told = (
        f"row disorder: seed {SEED}, {figures.events} events, {figures.copies} copies, {figures.late} late, "
        f"{seconds:.0f} s, judged in {judged:.0f} s; {figures.sampled} of {figures.states} customers held against the "
        f"plain definition; stopped with {[code for code, _ in stops]}; {verdict(problems)}\n  {figures}"
    )
    return told, problems
