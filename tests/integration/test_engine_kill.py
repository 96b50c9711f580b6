"""Exactly once, on a real Kafka: through kills and freezes, and over a clean stop."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import defaultdict
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from tests.integration.engine_town import Town, Verdict, judge, town

SESSION_SECONDS = 10

pytestmark = [pytest.mark.kafka, pytest.mark.faults]


def test_a_stopped_worker_ends_cleanly_and_its_successor_goes_on_exactly(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with town(bootstrap, tmp_path) as place:
            place.start(0)
            await place.publish(0, 3_000)
            await place.counted(1_000, seconds=60)
            code, seconds = place.stop(0)
            assert (0, True) == (code, seconds < 5), place.log()
            await place.publish(3_000, 2_000)
            place.start(0)
            await place.counted(5_000, seconds=60)
            place.stop(0)
            assert judge(5_000, await place.read("b", 30), await place.read("c", 30)) == Verdict()

    asyncio.run(story())


@pytest.mark.chaos
@pytest.mark.slow
def test_nothing_is_lost_or_doubled_when_workers_are_killed_and_frozen(
    bootstrap: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, kills, freezes = 120_000, 6, 2
    chance = random.Random(7)
    deeds = [("kill", chance.uniform(3, 9)) for _ in range(kills)]
    deeds += [("freeze", chance.uniform(3, 9)) for _ in range(freezes)]
    chance.shuffle(deeds)
    killed: list[float] = []

    async def chaos(place: Town) -> None:
        for deed, pause in deeds:
            await place.supervise(pause)
            worker = chance.choice(sorted(place.workers))
            if deed == "kill":
                killed.append(time.time())
                place.kill(worker)
            else:
                frozen = place.workers[worker]
                frozen.send_signal(signal.SIGSTOP)
                await asyncio.sleep(SESSION_SECONDS + 3)
                frozen.send_signal(signal.SIGCONT)

    async def story() -> tuple[Verdict, str]:
        async with town(bootstrap, tmp_path) as place:
            began = time.monotonic()
            for worker in range(2):
                place.start(worker)
            lasting = sum(pause for _, pause in deeds) + freezes * (SESSION_SECONDS + 3)
            publishing = asyncio.create_task(place.publish(0, events, lasting + 5))
            await chaos(place)
            supervising = asyncio.create_task(place.supervise(600))
            await publishing
            await place.counted(events, seconds=90)
            supervising.cancel()
            seconds = time.monotonic() - began
            stops = [place.stop(worker) for worker in sorted(place.workers)]
            assert [0, 0] == [code for code, _ in stops], place.log()
            outputs = await place.read("c", 60)
            verdict = judge(events, await place.read("b", 60), outputs)
            return verdict, (
                f"engine: {events} events, {kills} kills, {freezes} freezes, {seconds:.0f} s, "
                f"{events / seconds:.0f} events/s; {verdict}; workers ended by themselves: {place.exits}; "
                f"copies made by intake: {len(outputs) - events}; "
                f"SIGKILL to all partitions at work again: {silences(outputs, killed)} s"
            )

    verdict, figures = asyncio.run(story())
    with capsys.disabled():
        print(f"\n{figures}")
    assert verdict == Verdict()


def silences(outputs: list[ConsumerRecord], moments: list[float]) -> list[float]:
    """After each moment, seconds until the last partition has written again (by the broker's clock)."""
    stamps: defaultdict[int, list[float]] = defaultdict(list)
    for record in outputs:
        stamps[record.partition].append(record.timestamp / 1000)
    return [
        round(max(min(at - moment for at in of_one if at > moment) for of_one in stamps.values()), 1)
        for moment in moments
    ]
