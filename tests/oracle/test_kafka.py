"""A real worker on a real Kafka: its topics hold what the oracle says."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from agents.topic_admin import apply
from core.timeline.entry import DAY
from deploy.broker import EmbeddedBroker
from runtime.settings import Settings
from schemas.registry import Registry
from schemas.topics import JOURNAL, LINKS, events_topic
from tests.chaos.business import Habits, Sent, business, cloud_event
from tests.chaos.fleet import Fleet
from tests.chaos.log import Reader
from tests.chaos.progress import Progress

from .comparison import differences
from .oracle import Oracle
from .topics import Topics

KEY = "a key for the oracle's tests"
PARTITIONS, EVENTS, CUSTOMERS = 2, 2500, 120
DRAIN_SECONDS = 90.0
HABITS = Habits(copied=0.05, reused=0.01, bad=0.01, merging=0.3, slow=0.3, delayed=0.3)


class Town:
    """A bus with one worker, and all that is published on it."""

    def __init__(self, home: Path, bootstrap: str) -> None:
        registry = Registry.discover()
        names, topics = registry.publishers, registry.topics(PARTITIONS, 1)
        apply(bootstrap, topics)
        sizes = [(topic.name, topic.partitions) for topic in topics]
        read = {LINKS, JOURNAL, *map(events_topic, names)}
        self.fleet = Fleet(home, bootstrap, PARTITIONS, KEY)
        self._bootstrap = bootstrap
        self._progress = Progress(bootstrap, Settings().app_id, [(name, n) for name, n in sizes if name in read], sizes)
        self._reader = Reader(bootstrap, sizes)

    async def live(self) -> Topics:
        """A business of six days, answers to some of what was said about it, and all that the worker made of it."""
        async with self._progress:
            self.fleet.start("a")
            midnight = time.time_ns() // 1000 // DAY * DAY  # the same world at any time of day
            await self._publish(business(1, EVENTS, CUSTOMERS, midnight - DAY, HABITS))
            await self._rest()
            await self._publish(answers(await self._read()))
            await self._rest()
        self.fleet.stop()
        return await self._read()

    async def _rest(self) -> None:
        """Until everything that was published has come through."""
        await self._progress.drained(DRAIN_SECONDS, self.fleet.memory, self.fleet.supervise)

    async def _read(self) -> Topics:
        log = await self._reader.read()
        return Topics([*(record for records in log.records.values() for record in records), *log.profiles.values()])

    async def _publish(self, sent: Sequence[Sent]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._bootstrap, enable_idempotence=True) as producer:
            await asyncio.gather(*[await producer.send(s.topic, s.value, s.key, headers=list(s.headers)) for s in sent])


def answers(topics: Topics) -> list[Sent]:
    """Sales has seen some of its alerts, perhaps of customers who were merged since; and one that nobody sent."""
    told = [
        orjson.loads(record.value or b"")["data"]
        for (name, _), log in topics.alerts().items()
        for record in log
        if name == "sales"
    ]
    told = [*told[:10], {"alertId": "a_none", "customerId": "c_none"}]
    now = time.time_ns() // 1000
    said = [
        {"alertId": a["alertId"], "customerId": a["customerId"], "department": "sales", "by": "rep-3"} for a in told
    ]
    return [
        Sent(events_topic("sales"), b"", cloud_event("bus.alert.acknowledged.v1", "/sales/app", str(number), now, data))
        for number, data in enumerate(said)
    ]


@pytest.mark.kafka
@pytest.mark.slow
def test_a_worker_on_a_real_kafka_writes_what_the_oracle_says(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        town = Town(tmp_path / "town", broker.bootstrap)
        try:
            topics = asyncio.run(town.live())
        finally:
            town.fleet.destroy()
    oracle = Oracle(topics, KEY.encode())
    assert [] == differences(topics, oracle), town.fleet.log()
    assert [] == town.fleet.exits
    states = Counter(told.data["state"] for log in oracle.journal.alerts.values() for told in log)
    assert {"fired", "updated", "resolved", "expired", "retracted"} == set(states), (
        "a world in which too little happens"
    )
    assert len(oracle.journal.moves) > 10
