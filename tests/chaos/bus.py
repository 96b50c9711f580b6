"""The whole bus under test: a broker's topics, workers, publishers, and the judgement of what is on the topics."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer

from agents.app import departments, rules
from agents.identifiers import Identifiers
from agents.records import partition_of
from agents.settings import Settings
from agents.topics import JOURNAL, LINKS, apply, catalogue, events_topic
from core.event import DAY
from schemas.registry import Registry

from .business import Sent, cloud_event
from .checker import Problem
from .fleet import Fleet
from .judgement import Figures, Judge
from .log import Reader
from .progress import Progress

KEY = "a key for the chaos test"
FREEZE_SECONDS = 13.0
"""Longer than the session of 10 s: the group goes on without the frozen worker."""


class Bus:
    """Topics, workers, progress and log of one bus. Everything random comes from ``seed``."""

    def __init__(self, home: Path, bootstrap: str, partitions: int, seed: int) -> None:
        registry = Registry.discover()
        self._home = home
        self._bootstrap = bootstrap
        self.partitions = partitions
        self.chance = random.Random(seed)
        events = tuple(events_topic(name) for name in departments(registry))
        self._topics = catalogue(departments(registry), partitions, 1)
        sizes = [(topic.name, topic.partitions) for topic in self._topics]
        sources = (*events, LINKS, JOURNAL)
        self.progress = Progress(bootstrap, Settings().app_id, [(n, count) for n, count in sizes if n in sources])
        self.fleet = self.new_fleet("first")
        self.judge = Judge(rules(Settings(), registry), Identifiers(KEY.encode()), departments(registry), partitions)
        self.reader = Reader(bootstrap, sizes)
        self.published = 0

    def new_fleet(self, name: str) -> Fleet:
        """Workers that have no local state yet."""
        return Fleet(self._home / name, self._bootstrap, self.partitions, KEY)

    def apply_topics(self) -> None:
        """Makes the topics."""
        apply(self._bootstrap, self._topics)

    # --- load and faults --------------------------------------------------------------------------------------------

    async def publish(self, sent: Sequence[Sent], rate: float) -> None:
        """Everything in its order, acknowledged, at ``rate`` events/s."""
        self.judge.expect(sent)
        began = time.monotonic()
        step = max(1, round(rate / 10))
        async with AIOKafkaProducer(bootstrap_servers=self._bootstrap, enable_idempotence=True) as producer:
            for first in range(0, len(sent), step):
                some = sent[first : first + step]
                sending = [await producer.send(s.topic, s.value, s.key, headers=list(s.headers)) for s in some]
                await asyncio.gather(*sending)
                self.published += len(some)
                await asyncio.sleep(max(0.0, began + (first + step) / rate - time.monotonic()))

    async def work(self, seconds: float) -> None:
        """Lets time pass, as a supervisor does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.fleet.supervise()
            await self.progress.look()
            await asyncio.sleep(0.2)

    async def suffer(self, kills: int, freezes: int) -> None:
        """So many SIGKILLs and freezes in random order, at random moments, of random workers."""
        deeds = ["kill"] * kills + ["freeze"] * freezes
        self.chance.shuffle(deeds)
        for deed in deeds:
            await self.work(self.chance.uniform(2, 11))
            name = self.chance.choice(self.fleet.names)
            if deed == "kill":
                await self.progress.killed()
                self.fleet.kill(name)
            else:
                self.fleet.freeze(name)
                await asyncio.sleep(FREEZE_SECONDS)
                self.fleet.thaw(name)

    # --- judgement --------------------------------------------------------------------------------------------------

    async def judged(self) -> list[Problem]:
        """Reads what is new, folds it, and holds everything against everything."""
        return list(self.judge.judge(await self.reader.read(), self.published))

    def figures(self) -> Figures:
        """Of the last judgement."""
        return self.judge.figures(self.reader.log)

    def one_more(self, now: int, each: int = 5) -> list[Sent]:
        """For some customers of every journal partition: one event in order, a late one, a copy and an answer.

        ``now`` in µs. What they lead to depends on everything that is known of the customer.
        """
        found: list[Sent] = []
        known = self.judge.reference.customers
        living = [name for name, customer in sorted(known.items()) if customer.merged_into is None]
        for partition in range(self.partitions):
            here = [name for name in living if partition_of(name, self.partitions) == partition]
            for name in self.chance.sample(here, min(each, len(here))):
                found += self._more_of(name, now)
        return found

    def _more_of(self, name: str, now: int) -> Iterator[Sent]:
        kept = [one for one in self.judge.reference.entries[name].values() if "customer" in one.event["data"]]
        some = self.chance.choice(kept)
        who = {"customer": some.event["data"]["customer"]}
        marketing, sales = events_topic("marketing"), events_topic("sales")
        campaign = {**who, "campaignId": "after", "channel": "email"}
        call = {**who, "callId": name, "direction": "outbound", "outcome": "no_answer"}
        yield Sent(marketing, b"", cloud_event("marketing.campaign.sent.v1", "/after", name, now, campaign))
        yield Sent(sales, b"", cloud_event("sales.call.completed.v1", "/after/late", name, now - 3 * DAY, call))
        yield Sent(events_topic(some.event["type"].split(".")[0]), b"", orjson.dumps(some.event))
        for alert in self.judge.reference.customers[name].alerts[:1]:
            told = {"alertId": alert.id, "customerId": name, "department": "sales", "by": "rep-3"}
            yield Sent(sales, b"", cloud_event("bus.alert.acknowledged.v1", "/after/seen", name, now, told))
