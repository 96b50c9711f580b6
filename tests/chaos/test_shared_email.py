"""One e-mail shared by 20,000 customers: nothing is lost, the worker stays small, the others are served meanwhile.

There are no limits of identity yet, so all of them become one customer. Their events come in order, from one
partition: an event that comes late to so large a customer costs its whole history, 7 us of each entry (measured).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import orjson
import pytest

from agents.app import rules
from agents.identifiers import Identifiers
from agents.settings import Settings
from agents.topics import TIMELINE, events_topic
from core.event import HOUR
from deploy.broker import EmbeddedBroker
from schemas.registry import Registry

from .bus import KEY, LOOK_SECONDS, Bus
from .business import CALM, Sent, business, cloud_event
from .checker import Problem
from .judgement import Judge
from .log import Log, Reader
from .publication import Publication
from .publisher import Publisher

CROWD = 20_000
KNOWN = 20
"""Of the crowd: so many are customers of their own at first, and are merged when the crowd is complete."""
CROWD_RATE, OTHERS_RATE = 2_000.0, 60.0
OTHERS = 2_000
QUIET_SECONDS = 6.0
DRAIN_SECONDS = 120.0
MEMORY = 500
"""MiB; a worker of a quiet bus has 110."""
UNSERVED_SECONDS = 30.0
"""A latency that means that the others were not served at all."""


@dataclass(frozen=True, slots=True)
class Seen:
    """ms since 1970 when an event came, and when it stood on its customer's timeline."""

    came: int
    stood: int


@pytest.mark.kafka
@pytest.mark.slow
def test_an_email_that_thousands_share_costs_nobody_else_an_event(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        bus = Bus(tmp_path, broker, partitions=4)
        bus.apply_topics()
        with bus.processes():
            told, problems, slowest = asyncio.run(shared(bus))
    with capsys.disabled():
        print("", *told, sep="\n")
    assert [] == problems, bus.fleet.log()
    assert max(size for sample in bus.progress.samples for size in sample.memory.values()) < MEMORY
    assert slowest < UNSERVED_SECONDS


async def shared(bus: Bus) -> tuple[list[str], list[Problem], float]:
    """The run: what was seen, what is wrong, and the longest latency of the others (s)."""
    now = time.time_ns() // 1000
    publication = Publication()
    others = business(1, OTHERS, 100, now, CALM)
    crowd = [_event(number, now, shared=True) for number in range(KNOWN, CROWD)]
    known = [_event(number, now, shared=False) for number in range(KNOWN)]
    merging = [_event(number, now + CROWD, shared=True) for number in range(KNOWN)]
    async with bus.progress:
        bus.fleet.start("a")
        watching = asyncio.create_task(bus.progress.watch(bus.memory, LOOK_SECONDS))
        department = Publisher(bus.bootstrap, publication, CROWD_RATE)
        await department.publish(crowd[:1])
        await bus.progress.drained(DRAIN_SECONDS, bus.memory, bus.fleet.supervise)
        beside = asyncio.create_task(Publisher(bus.bootstrap, publication, OTHERS_RATE).publish(others))
        await bus.work(QUIET_SECONDS)
        await department.publish(known)
        began = time.time_ns() // 1_000_000
        await department.publish(crowd[1:])
        await department.publish(merging)
        await beside
        await bus.progress.drained(DRAIN_SECONDS, bus.memory, bus.fleet.supervise)
        watching.cancel()
        memory = [sample.memory["a"] for sample in bus.progress.samples if "a" in sample.memory]
        exits = list(bus.fleet.exits)
        bus.fleet.stop()
        log = await Reader(bus.bootstrap, bus.sizes).read()
    judge = Judge(rules(Settings(), Registry.discover()), Identifiers(KEY.encode()), bus.departments, bus.partitions)
    judge.expect([*others, *known, *crowd, *merging])
    judging = time.monotonic()
    problems = list(judge.judge(log, publication))
    judging = time.monotonic() - judging
    giant = max(judge.reference.entries.items(), key=lambda one: len(one[1]))
    seen = _seen(log)
    of_giant = [one for customer, one in seen if customer == giant[0] and one.came >= began]
    spent = (max(one.stood for one in of_giant) - began) / 1000
    rest = [one for customer, one in seen if customer != giant[0]]
    before = [(one.stood - one.came) / 1000 for one in rest if one.came < began]
    meanwhile = [(one.stood - one.came) / 1000 for one in rest if began <= one.came <= began + spent * 1000]
    profile = log.profiles[giant[0].encode()].value
    told = [
        f"one e-mail of {CROWD} customers: the largest has {len(giant[1])} entries, a profile of {len(profile or b'')} "
        f"bytes; {judge.figures(log).merges} merges moved {judge.figures(log).moved} entries",
        f"  the crowd took {spent:.1f} s ({spent / CROWD * 1000:.2f} ms each); judged in {judging:.1f} s",
        f"  others' latency before: {_latency(before)}; meanwhile: {_latency(meanwhile)}",
        f"  memory: {min(memory)} to {max(memory)} MiB; ended by themselves: {exits}",
        *(f"    {problem.kind}: {problem.what[:400]}" for problem in problems[:10]),
    ]
    return told, problems, max(meanwhile)


def _event(number: int, now: int, *, shared: bool) -> Sent:
    identifiers = [{"type": "customer_no", "value": f"X-{number:06d}"}]
    if shared:
        identifiers.append({"type": "email", "value": "info@example.com"})
    data = {"customer": {"identifiers": identifiers}, "url": "https://shop.example/a", "pageType": "product"}
    name = f"{number}-{'shared' if shared else 'alone'}"
    value = cloud_event("web.page.viewed.v1", "/crowd", name, now - HOUR + number, data)
    return Sent(events_topic("web"), b"crowd", value)


def _seen(log: Log) -> list[tuple[str, Seen]]:
    """The customer of each entry, and when it came and stood; entries that were moved later are left out."""
    came = {record.origin: record.timestamp for records in log.records.values() for record in records}
    found = []
    for record in log.of(TIMELINE):
        if record.value is None or record.key is None:
            continue
        data: Mapping[str, object] = orjson.loads(record.value)["data"]
        if not data["moved"]:
            customer = record.key.partition(b"/")[0].decode()
            found.append((customer, Seen(came[str(data["origin"])], record.timestamp)))
    return found


def _latency(seconds: list[float]) -> str:
    cuts = quantiles(seconds, n=100)
    return f"{len(seconds)} events, median {cuts[49]:.2f}, p99 {cuts[98]:.2f}, max {max(seconds):.2f} s"
