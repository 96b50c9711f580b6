"""Records of others on every topic on which only the bus writes, beside its work and while nobody is there."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from engine.kafka.mark import MARK
from schemas.journal import MERGE
from schemas.topics import IDENTITIES, JOURNAL, LINKS, NOTIFIED, PROFILES, PROGRESS, TIMELINE

from .arena import JudgedBus, arena, ended, now, verdict
from .business import ROUGH, business
from .checker import FOREIGN, Problem, letters
from .fleet import Exit
from .log import Header
from .sink_play import Say

SEED, PARTITIONS, EVENTS, CUSTOMERS, RATE = 5, 2, 600, 40, 1_000.0
DELETED, COMPACTED = (JOURNAL, LINKS), (IDENTITIES, TIMELINE, PROFILES, NOTIFIED, PROGRESS)
FORGED_ENTRY = orjson.dumps({"data": {"customerId": "c_1", "at": 1, "event": {}}})
VALUES = (b"no JSON", b"[]", b"{}", b"\x00\xff", FORGED_ENTRY, None)
Strange = tuple[bytes | None, bytes | None, tuple[Header, ...]]


def strange(topic: str, known: bytes) -> Iterator[Strange]:
    """Key, value and headers. ``known``: a key of ours there."""
    keys = (b"", b"\xff", known) if topic in COMPACTED else (None, b"", b"\xff", known)
    for key in keys:
        for value in VALUES if key is not None else VALUES[:-1]:  # aiokafka sends no record without both
            yield key, value, ()
    yield known, b"{}", (("v", b""),)
    yield known, b"{}", (("v", b"one"), ("kind", MERGE), ("v", b"0"))
    yield known, None, (("v", b"1 "),)


def forged(topic: str, known: bytes) -> Iterator[Strange]:
    """With the bus's mark, and yet no record of the bus."""
    if topic != PROGRESS:
        yield b"\xff", b"no JSON", (MARK,)
    yield known, b"no JSON", (MARK,)
    if topic in DELETED:
        yield None, b"{}", (MARK,)
        yield known, None, (MARK,)
        yield known, b"{}", (("kind", b"event"), MARK)
        yield known, b"{}", (("kind", MERGE), ("origin", b"x/1/2"), MARK)


async def intrude(bus: JudgedBus, *, marked: bool) -> None:
    """Writes all of it, on every partition."""
    log = await bus.reader.read()
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        for topic, partitions in bus.sizes:
            if topic not in (*DELETED, *COMPACTED):
                continue
            for partition in range(partitions):
                known = known_key(log.records, sorted(log.profiles), topic, partition)
                for key, value, headers in [
                    *strange(topic, known),
                    *(forged(topic, known) if marked else ()),
                ]:
                    sent = await producer.send_and_wait(topic, value, key, partition, headers=list(headers))
                    if MARK in headers:
                        bus.reader.forged.add(f"{topic}/{partition}/{sent.offset}")


def known_key(records: object, profiles: list[bytes], topic: str, partition: int) -> bytes:
    """A key under which the bus has written there, or could."""
    assert isinstance(records, dict)
    if topic == PROGRESS:
        return b"journey/%d" % partition if partition < PARTITIONS else b"resolver/0"
    if topic in (LINKS, PROFILES):
        return profiles[0]
    return next((r.key for r in records.get((topic, partition), ()) if r.key is not None), profiles[0])


async def scenario(bus: JudgedBus) -> tuple[str, list[Problem]]:
    """Strangers write while nobody works, and while everybody does; the state is there, and is not."""
    began = time.monotonic()
    events = business(SEED, EVENTS, CUSTOMERS, now(), ROUGH)
    third = len(events) // 3
    async with bus.progress:
        await at_rest(bus, lambda: bus.publish(events[:third], RATE))
        bus.fleet.stop()
        await intrude(bus, marked=True)
        bus.fleet.start("a")
        await at_rest(bus, lambda: bus.publish(events[third : 2 * third], RATE))
        await intrude(bus, marked=False)
        await at_rest(bus, lambda: bus.publish(events[2 * third :], RATE))
        stops = bus.fleet.stop()
        for name in ("warm", "cold"):
            exits = bus.fleet.exits
            if name == "cold":
                bus.fleet = bus.new_fleet("second")
                bus.fleet.exits = exits
            bus.fleet.start("a")
            await at_rest(bus, lambda: asyncio.sleep(0))
            stops += bus.fleet.stop()
        problems = await bus.judged()
    log = bus.reader.log
    told = Counter(one.origin for one in letters(log) if one.reason == FOREIGN)
    problems += [Problem("foreign", f"{origin} has {count} letters") for origin, count in told.items() if count > 1]
    assert len(told) > 100
    return (
        f"row foreign: seed {SEED}, {len(events)} events, {len(log.foreign)} foreign records, {len(told)} told of, "
        f"{time.monotonic() - began:.0f} s; exits {ended(bus.fleet)}, stopped with {[code for code, _ in stops]}; "
        f"{verdict(problems)}\n  {bus.figures()}"
    ), problems


async def a_later_version(bus: JudgedBus) -> tuple[str, Exit]:
    """A record of a later version comes: where it stands, and how the worker ended."""
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        sent = await producer.send_and_wait(JOURNAL, b"{}", b"c_1", 1, headers=[("v", b"2"), ("kind", b"split")])
    known = len(bus.fleet.exits)
    bus.fleet.start("a")
    async with asyncio.timeout(60):
        while len(bus.fleet.exits) == known:
            bus.fleet.supervise()
            await asyncio.sleep(0.2)
    return f"{JOURNAL}/1/{sent.offset}", bus.fleet.exits[-1]


async def at_rest(bus: JudgedBus, publish: object) -> None:
    """Publishes, and returns when all of it came through."""
    assert callable(publish)
    if not bus.fleet.running:
        bus.fleet.start("a")
    await bus.ready()
    await publish()
    await bus.drained()


@pytest.mark.kafka
@pytest.mark.slow
def test_foreign_records_on_every_topic_of_ours_stop_nothing_and_are_each_told_of_once(
    tmp_path: Path, say: Say
) -> None:
    with arena(tmp_path, SEED, PARTITIONS) as (_, bus):
        told, problems = asyncio.run(scenario(bus))
        log, exits = bus.fleet.log(), list(bus.fleet.exits)
        place, last = asyncio.run(a_later_version(bus))
    say(told)
    assert [] == problems, log
    assert [] == exits, log
    assert (2, True) == (last.code, f"the record {place} was written by version 2 of the bus" in last.why), last
