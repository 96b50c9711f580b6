"""One customer with half of all traffic: what the others notice of it."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from core.timeline.entry import event_uid
from schemas.topics import events_topic

from .arena import DRAIN_SECONDS, JudgedBus, arena, at_work, now, verdict
from .business import Fields, Sent, cloud_event
from .checker import Problem
from .stopwatch import Stopwatch, percentile

SEED, OTHERS, RATE, PHASE, PAST = 17, 400, 100, 10.0, 2_000
"""``RATE`` events/s in phases of so many seconds, in turn: all of so many others, or half of them of the hot one.

The traffic is the same in both, so that only its distribution can make a difference. ``PAST``: who makes so much
traffic has made it before.
"""
TURNS = 4
TICK = 0.02
PAGE: Fields = {"url": "https://shop.example/help", "pageType": "help"}
MOST_SLOWER, MOST_MEMORY = 2.0, 1.2


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
def test_a_customer_with_half_of_all_traffic_does_not_slow_down_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with arena(tmp_path, SEED) as (broker, bus):
        told, problems, slower, memory = asyncio.run(scenario(bus, broker.bootstrap))
    with capsys.disabled():
        print(f"\n{told}")
    assert [] == problems, bus.fleet.log()
    assert [] == bus.fleet.exits, bus.fleet.log()
    assert slower <= MOST_SLOWER
    assert memory <= MOST_MEMORY


async def scenario(bus: JudgedBus, bootstrap: str) -> tuple[str, list[Problem], float, float]:
    """The run: in words, what is wrong, and p99 and memory with the hot customer over those without."""
    crowd = Crowd(bus.chance)
    laps: dict[bool, list[list[float]]] = {False: [], True: []}
    memory: dict[bool, list[int]] = {False: [], True: []}
    async with bus.progress, Stopwatch(bootstrap, bus.partitions) as stopwatch:
        for name in ("a", "b"):
            bus.fleet.start(name)
        await at_work(bootstrap, 2)
        await bus.publish([crowd.event(person) for person in range(OTHERS + 1)], 1000)  # who is known has one way
        await bus.drained()
        await bus.publish([crowd.page(0) for _ in range(PAST)], 1000)
        await bus.drained()
        for turn in range(-1, 2 * TURNS):
            hot = turn % 2 == 1
            await phase(bus, bootstrap, crowd, stopwatch, hot=hot)
            lap = await stopwatch.lap(DRAIN_SECONDS)
            await bus.drained()
            if turn >= 0:  # the first one warms up
                laps[hot].append(lap)
                memory[hot].append(max(bus.memory().values()))
        bus.fleet.stop()
    problems = await bus.judged()
    times = {hot: sorted(one for lap in laps[hot] for one in lap) for hot in laps}
    without, beside = (percentile(times[hot], 0.99) for hot in (False, True))
    medians = [percentile(times[hot], 0.5) for hot in (False, True)]
    slower, more = beside / without, max(memory[True]) / max(memory[False])
    each = {hot: [round(1000 * percentile(lap, 0.99)) for lap in laps[hot]] for hot in laps}
    told = (
        f"row hot customer: seed {SEED}, {len(bus.publication)} events, {crowd.hot} of one customer; others' p50 "
        f"{1000 * medians[0]:.0f} ms without, {1000 * medians[1]:.0f} ms beside it; p99 {1000 * without:.0f} ms "
        f"({each[False]}), {1000 * beside:.0f} ms ({each[True]}): {slower:.2f} x; resident "
        f"{max(memory[False])} MiB, {max(memory[True])} MiB: {more:.2f} x; "
        f"{verdict(problems)}\n  {bus.figures()}"
    )
    return told, problems, slower, more


async def phase(bus: JudgedBus, bootstrap: str, crowd: Crowd, stopwatch: Stopwatch, *, hot: bool) -> None:
    """Somebody acts ``RATE`` times a second: the hot one every other time, if it does."""
    began = time.monotonic()
    sending: list[tuple[Sent, Awaitable[RecordMetadata]]] = []
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        for tick in range(round(PHASE / TICK)):
            together = round(RATE * TICK)
            theirs = together // 2 if hot else together
            some = [crowd.event(bus.chance.randrange(1, OTHERS + 1)) for _ in range(theirs)]
            stopwatch.sent([event_uid(*crowd.named(one)) for one in some])
            some += [crowd.event(0) for _ in range(together - theirs)]
            bus.chance.shuffle(some)
            bus.judge.expect(some)
            asked = [await producer.send(one.topic, one.value, one.key, headers=list(one.headers)) for one in some]
            sending += zip(some, asked, strict=True)
            await asyncio.sleep(max(0.0, began + (tick + 1) * TICK - time.monotonic()))
        for one, answer in sending:
            place = await answer
            bus.publication.acknowledge(one, (place.topic, place.partition, place.offset))


class Crowd:
    """People who click, order, are mailed and called, in all departments at once. Number 0 is the hot one."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._made = 0
        self.hot = 0

    def event(self, person: int) -> Sent:
        """What happens to somebody now."""
        number = self._made
        kind, data = self._chance.choices(
            [
                ("web.page.viewed.v1", PAGE),
                ("marketing.campaign.sent.v1", {"campaignId": f"S{number}", "channel": "email"}),
                ("sales.order.completed.v1", {"orderId": f"O{number}", "total": "9.90", "currency": "EUR"}),
                ("service.case.opened.v1", {"caseId": f"K{number % 40}", "category": "question", "priority": "low"}),
                ("service.case.resolved.v1", {"caseId": f"K{number % 40}"}),
            ],
            [80, 8, 6, 3, 3],
        )[0]
        return self._sent(person, kind, data)

    def page(self, person: int) -> Sent:
        """Somebody looks at a page now."""
        return self._sent(person, "web.page.viewed.v1", PAGE)

    def _sent(self, person: int, kind: str, data: Fields) -> Sent:
        self._made += 1
        self.hot += person == 0
        known: Fields = {"identifiers": [{"type": "customer_no", "value": f"H-{person:05d}"}]}
        department = kind.partition(".")[0]
        value = cloud_event(kind, f"/{department}/crowd", str(self._made), now(), {**data, "customer": known})
        return Sent(events_topic(department), b"%d" % person, value)

    def named(self, sent: Sent) -> tuple[str, str]:
        """Source and id."""
        event = json.loads(sent.value)
        return event["source"], event["id"]
