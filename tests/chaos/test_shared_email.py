"""One e-mail shared by 5,000 people: they stay 5,000 customers but for the first ones, and the others are served.

Which value it is, no list knows: the fuse blocks it, and a worker that has lost its state knows that. Their events come
in order, from one partition.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles

import orjson
import pytest

from agents.app import rules
from agents.identifiers import Identifiers
from core.identity.fuse import LINKS_A_DAY
from core.timeline.entry import HOUR
from deploy.broker import EmbeddedBroker
from runtime.settings import Settings
from schemas.registry import Registry
from schemas.topics import TIMELINE, events_topic

from .arena import at_work
from .bus import KEY, LOOK_SECONDS, Bus
from .business import CALM, Sent, business, cloud_event
from .checker import Problem, current
from .log import Log, Reader, Record
from .publication import Publication
from .publisher import Publisher
from .sink_play import Say
from .verification import Verifier

CROWD = 5_000
KNOWN = LINKS_A_DAY
"""Of the crowd: so many are customers of their own at first, and come with the e-mail before the others do."""
LATER = 50
"""So many come with the e-mail after the restart; and so many events have nothing else."""
CROWD_RATE, OTHERS_RATE = 1_000.0, 60.0
OTHERS = 2_000
QUIET_SECONDS = 6.0
DRAIN_SECONDS = 120.0
MEMORY = 500
"""MiB; a worker of a quiet bus has 110."""
UNSERVED_SECONDS = 30.0
"""A latency that means that the others were not served at all."""


Identifier = dict[str, str]
SHARED: Identifier = {"type": "email", "value": "info@example.com"}
SOURCE = "/crowd"


@dataclass(frozen=True, slots=True)
class Seen:
    """ms since 1970 when an event came, and when it stood on its customer's timeline."""

    came: int
    stood: int


@pytest.mark.kafka
@pytest.mark.slow
def test_an_email_that_thousands_share_makes_no_more_than_twenty_of_them_one(tmp_path: Path, say: Say) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        bus = Bus(tmp_path, broker, partitions=4)
        bus.apply_topics()
        with bus.processes():
            told, problems, slowest, customers, blocked = asyncio.run(shared(bus))
    say("\n".join(told))
    assert [] == problems, bus.fleet.log()
    assert customers == CROWD + LATER - KNOWN + 1
    assert ["email"] == blocked
    assert max(size for sample in bus.progress.samples for size in sample.memory.values()) < MEMORY
    assert slowest < UNSERVED_SECONDS


async def shared(bus: Bus) -> tuple[list[str], list[Problem], float, int, list[str]]:
    """The run: what was seen, what is wrong, the longest latency of the others (s), how many customers the crowd is,
    the types of blocked identifiers.
    """
    now = time.time_ns() // 1000
    publication = Publication()
    others = business(1, OTHERS, 100, now, CALM)
    known = [_event(number, now, [own(number)]) for number in range(KNOWN)]
    crowd = [_event(number, now + KNOWN, [own(number), SHARED]) for number in range(CROWD + LATER)]
    alone = [replace(_event(CROWD + number, now + KNOWN, [SHARED]), reason="no-identifier") for number in range(LATER)]
    async with bus.progress:
        bus.fleet.start("a")
        await at_work(bus.bootstrap, 1)  # a start on a busy machine is no latency of the others
        watching = asyncio.create_task(bus.progress.watch(bus.memory, LOOK_SECONDS))
        department = Publisher(bus.bootstrap, publication, CROWD_RATE)
        beside = asyncio.create_task(Publisher(bus.bootstrap, publication, OTHERS_RATE).publish(others))
        await bus.work(QUIET_SECONDS)
        await department.publish(known)
        began = time.time_ns() // 1_000_000
        await department.publish(crowd[:CROWD])
        await beside
        await bus.progress.drained(DRAIN_SECONDS, bus.memory, bus.fleet.supervise)
        ended = time.time_ns() // 1_000_000
        bus.fleet.kill("a", lose=True)
        await department.publish([*crowd[CROWD:], *alone])
        await bus.progress.drained(DRAIN_SECONDS, bus.memory, bus.fleet.supervise)
        watching.cancel()
        memory = [sample.memory["a"] for sample in bus.progress.samples if "a" in sample.memory]
        exits = list(bus.fleet.exits)
        blocked = (bus.fleet.blocked() or {"latest": []})["latest"]
        bus.fleet.stop()
        log = await Reader(bus.bootstrap, bus.sizes).read()
    judge = Verifier(rules(Settings(), Registry.discover()), Identifiers(KEY.encode()), bus.departments, bus.partitions)
    judge.expect([*others, *known, *crowd, *alone])
    judging = time.monotonic()
    problems = list(judge.judge(log, publication))
    judging = time.monotonic() - judging
    seen = _seen(log)
    of_crowd = [one for source, one in seen if source == SOURCE and began <= one.came <= ended]
    spent = (max(one.stood for one in of_crowd) - began) / 1000
    rest = [one for source, one in seen if source != SOURCE]
    before = [(one.stood - one.came) / 1000 for one in rest if one.came < began]
    meanwhile = [(one.stood - one.came) / 1000 for one in rest if began <= one.came <= began + spent * 1000]
    customers = {key.partition(b"/")[0] for key, record in current(log).items() if _source(record) == SOURCE}
    told = [
        f"one e-mail of {CROWD} people: {len(customers)} customers; {judge.figures(log).merges} merges moved "
        f"{judge.figures(log).moved} entries, {judge.figures(log).letters} letters",
        f"  the crowd took {spent:.1f} s ({spent / CROWD * 1000:.2f} ms each); judged in {judging:.1f} s",
        f"  others' latency before: {_latency(before)}; meanwhile: {_latency(meanwhile)}",
        f"  memory: {min(memory)} to {max(memory)} MiB; ended by themselves: {exits}",
        *(f"    {problem.kind}: {problem.what[:400]}" for problem in problems[:10]),
    ]
    return told, problems, max(meanwhile), len(customers), [one["type"] for one in blocked]


def own(number: int) -> Identifier:
    """Of one of the crowd."""
    return {"type": "customer_no", "value": f"X-{number:06d}"}


def _event(number: int, now: int, identifiers: list[Identifier]) -> Sent:
    data = {"customer": {"identifiers": identifiers}, "url": "https://shop.example/a", "pageType": "product"}
    name = f"{number}-{len(identifiers)}"
    value = cloud_event("web.page.viewed.v1", SOURCE, name, now - HOUR + number, data)
    return Sent(events_topic("web"), b"crowd", value)


def _seen(log: Log) -> list[tuple[str, Seen]]:
    """The source of each entry, and when it came and stood; entries that were moved later are left out."""
    came = {record.origin: record.timestamp for records in log.records.values() for record in records}
    found = []
    for record in log.of(TIMELINE):
        if record.value is None or record.key is None:
            continue
        data: Mapping[str, object] = orjson.loads(record.value)["data"]
        if not data["moved"]:
            found.append((_source(record), Seen(came[str(data["origin"])], record.timestamp)))
    return found


def _source(entry: Record) -> str:
    assert entry.value is not None
    return str(orjson.loads(entry.value)["data"]["event"]["source"])


def _latency(seconds: list[float]) -> str:
    cuts = quantiles(seconds, n=100)
    return f"{len(seconds)} events, median {cuts[49]:.2f}, p99 {cuts[98]:.2f}, max {max(seconds):.2f} s"
