"""Nothing but bad messages, of every kind; then good ones in between."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from .arena import JudgedBus, arena, at_work, ended, now, verdict
from .business import Sent, business
from .checker import Problem
from .nonsense import OVERSIZED, nonsense, odd_but_good, oversized
from .poison import TOPIC, sprinkled
from .sink_play import Say

SEED, ROUNDS, LARGE, RATE = 12, 40, 5, 2_000.0


@pytest.mark.kafka
@pytest.mark.slow
def test_what_cannot_be_read_is_buried_with_its_reason_and_stops_nothing(tmp_path: Path, say: Say) -> None:
    with arena(tmp_path, SEED) as (broker, bus):
        told, problems = asyncio.run(scenario(bus, broker.bootstrap))
        log = bus.fleet.log()
    say(told)
    assert [] == problems, log
    assert [] == bus.fleet.exits, log


async def scenario(bus: JudgedBus, bootstrap: str) -> tuple[str, list[Problem]]:
    """The run; what happened in words, and what is wrong."""
    began = time.monotonic()
    async with bus.progress:
        for name in ("a", "b"):
            bus.fleet.start(name)
        await at_work(bootstrap, 2)
        await too_large_for_the_broker(bootstrap, oversized(now()))
        bad = nonsense(now(), ROUNDS, LARGE)
        bus.chance.shuffle(bad)
        await bus.publish(bad, RATE)  # 100 %
        await tombstones(bus, 20)
        good = [*odd_but_good(now(), 20), *business(SEED, 2_000, 100, now())]
        more = nonsense(now(), 4, 1)
        await bus.publish(sprinkled(good, more, SEED), RATE)
        await bus.drained()
        seconds = time.monotonic() - began
        stops = bus.fleet.stop()
        problems = await bus.judged()
    reasons = Counter(one.reason for one in [*bad, *more])
    told = (
        f"row poison: seed {SEED}, {len(bus.publication)} records, {len(bad)} bad in a row, then {len(more)} among "
        f"{len(good)} good, {seconds:.0f} s; exits {ended(bus.fleet)}, stopped with {[code for code, _ in stops]}; "
        f"{verdict(problems)}\n  {dict(reasons)}\n  {bus.figures()}"
    )
    return told, problems


async def too_large_for_the_broker(bootstrap: str, sent: Sent) -> None:
    """Its publisher gets an error, from the broker."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        max_request_size=2 * OVERSIZED,
        max_batch_size=2 * OVERSIZED,
    ) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(sent.topic, sent.value, sent.key)


async def tombstones(bus: JudgedBus, count: int) -> None:
    """Records without a value."""
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap, enable_idempotence=True) as producer:
        for number in range(count):
            empty = Sent(TOPIC, b"tombstone-%d" % number, b"", (), "not-json")
            bus.judge.expect([empty])
            place = await producer.send_and_wait(empty.topic, None, empty.key)
            bus.publication.acknowledge(empty, (place.topic, place.partition, place.offset))
