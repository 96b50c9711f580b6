"""Customers with a long past who turn out to be one, in chains, while they act and workers are killed."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.timeline.entry import DAY
from schemas.topics import events_topic

from .arena import JudgedBus, arena, at_work, ended, now, verdict
from .business import Fields, Sent, cloud_event
from .checker import Problem
from .journal_watch import JournalWatch

SEED, ROUNDS, PAST, MEANWHILE, RATE = 14, 4, 2_100, 20, 4_000.0
SPAN = 6 * DAY
TRIO = 3
MOVE_SECONDS = 90.0
DRAIN_SECONDS = 300.0
"""A late event of a long past takes long to judge, and here most of them are late."""


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
def test_customers_merged_in_chains_are_one_although_workers_are_killed_in_the_middle_of_the_move(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with arena(tmp_path, SEED) as (broker, bus):
        told, problems, moves = asyncio.run(scenario(bus, broker.bootstrap))
    with capsys.disabled():
        print(f"\n{told}")
    assert [] == problems, bus.fleet.log()
    assert ROUNDS * (TRIO - 1) == moves


async def scenario(bus: JudgedBus, bootstrap: str) -> tuple[str, list[Problem], int]:
    """The run; what happened in words, what is wrong, and how many pasts moved."""
    began = time.monotonic()
    people = [Acquaintance(number, bus.chance) for number in range(ROUNDS * TRIO)]
    killed: Counter[str] = Counter()
    async with bus.progress:
        for name in ("a", "b"):
            bus.fleet.start(name)
        await at_work(bootstrap, 2)
        pasts = [list(one.past(now())) for one in people]
        await bus.publish([sent for past in pasts for sent in past[:1]], RATE)
        await bus.drained(DRAIN_SECONDS)  # who is known has one way, and no detour
        await bus.publish([sent for past in pasts for sent in past[1:]], RATE)
        await bus.drained(DRAIN_SECONDS)
        loaded = time.monotonic() - began
        for first in range(0, len(people), TRIO):
            killed[await merge(bus, bootstrap, people[first : first + TRIO])] += 1
        await bus.drained(DRAIN_SECONDS)
        seconds = time.monotonic() - began
        stops = bus.fleet.stop()
        problems = await bus.judged()
    figures = bus.figures()
    told = (
        f"row merges: seed {SEED}, {ROUNDS} chains of {TRIO} customers with {PAST} entries each, loaded in {loaded:.0f}"
        f" s, all in {seconds:.0f} s; kills {dict(killed)}; exits {ended(bus.fleet)}, "
        f"stopped with {[code for code, _ in stops]}; {verdict(problems)}\n  {figures}"
    )
    return told, problems, figures.merges


async def merge(bus: JudgedBus, bootstrap: str, trio: list[Acquaintance]) -> str:
    """The trio becomes one while all of them act, and a worker dies when their past moves. How far it had moved."""
    chance = bus.chance
    links = [trio[0].known_as(trio[1], now()), trio[1].known_as(trio[2], now()), trio[0].known_as(trio[2], now())]
    chance.shuffle(links)
    acting = [sent for one in trio for sent in one.acts(now(), MEANWHILE)]
    chance.shuffle(acting)
    half = len(acting) // 2
    committed = chance.random() < 0.5
    async with JournalWatch(bootstrap, bus.partitions, committed=committed) as journal:
        publishing = asyncio.create_task(bus.publish([*acting[:half], *links, *acting[half:]], len(acting) / 2))
        partition = await journal.moved(MOVE_SECONDS)
        await asyncio.sleep(chance.choice([0.0, 0.0, 0.02, 0.1]))
        for name in chance.choice([("a",), ("b",), ("a", "b")]):
            bus.fleet.kill(name)
        seen = await bus.looked()
    while not publishing.done():
        await bus.work(0.2)
    await publishing
    await bus.work(chance.uniform(0, 4))
    how = "committed" if committed else "uncommitted"
    return f"at {how} parts, {'unread' if seen.committed[partition] < seen.ends[partition] else 'read'}"


class Acquaintance:
    """Somebody who clicks much, is mailed now and then, and is known by one number only."""

    def __init__(self, number: int, chance: random.Random) -> None:
        self._number = number
        self._chance = chance
        self._made = 0

    @property
    def identifier(self) -> Fields:
        return {"type": "customer_no", "value": f"M-{self._number:04d}"}

    def past(self, until: int) -> Iterator[Sent]:
        """Over six days until an hour ago; from one topic and so in order: a past told late takes long to judge."""
        for index in range(PAST):
            yield self._page(until - SPAN + index * (SPAN - DAY // 24) // PAST)

    def acts(self, moment: int, count: int) -> Iterator[Sent]:
        """What happens in this minute; one in ten is told a day late, one in ten twice."""
        for index in range(count):
            sent = self._event(moment + index * 1000 - (DAY if self._chance.random() < 0.1 else 0))
            yield sent
            if self._chance.random() < 0.1:
                yield sent

    def known_as(self, other: Acquaintance, moment: int) -> Sent:
        """They are one."""
        data = {"customer": {"identifiers": [self.identifier, other.identifier]}, "orderId": self._new("O")}
        data |= {"total": "10.00", "currency": "EUR"}
        return self._sent("sales.order.completed.v1", moment, data)

    def _event(self, at: int) -> Sent:
        data: Fields = {"customer": {"identifiers": [self.identifier]}}
        if self._chance.random() < 0.1:
            mailed = {"campaignId": self._new("S"), "channel": "email"}
            return self._sent("marketing.campaign.sent.v1", at, {**data, **mailed})
        if self._chance.random() < 0.05:
            case = {"caseId": self._new("K"), "category": "complaint", "priority": "normal"}
            return self._sent("service.case.opened.v1", at, {**data, **case})
        return self._page(at)

    def _page(self, at: int) -> Sent:
        data: Fields = {"customer": {"identifiers": [self.identifier]}}
        return self._sent("web.page.viewed.v1", at, {**data, "url": "https://shop.example/help", "pageType": "help"})

    def _sent(self, kind: str, at: int, data: Fields) -> Sent:
        department = kind.partition(".")[0]
        value = cloud_event(kind, f"/{department}/merge", self._new("E"), at, data)
        return Sent(events_topic(department), b"%d" % self._number, value)

    def _new(self, letter: str) -> str:
        self._made += 1
        return f"{letter}{self._number}-{self._made}"
