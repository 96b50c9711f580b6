"""Offsets that expire, records that are deleted before they were read, topics that are deleted and made anew."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest
from aiokafka import TopicPartition

from core.timeline.entry import event_uid
from engine.transactional.progress import ProgressLog, read_progress
from schemas.topics import JOURNAL, NOTIFIED, PROFILES, PROGRESS, TIMELINE, events_topic

from .aftermath import one_more
from .arena import DRAIN_SECONDS, GROUP, JudgedBus, arena, at_work, ended, now, verdict
from .business import Habits, Sent, business
from .checker import Problem, current
from .cluster_faults import delete_records, delete_topics, forget_offsets

SEED, EVENTS, CUSTOMERS, RATE = 15, 5_000, 250, 2_000.0
CLEAN = Habits(copied=0.05, merging=0.2, slow=0.1, delayed=0.2)
UNREAD, BURST_RATE = 100, 20_000.0
TRANSACTION_SECONDS = 12.0
"""After which a dead worker's transactions are over."""
T = TypeVar("T")


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.parametrize("state", ["warm", "cold"])
def test_nothing_is_done_twice_when_all_committed_offsets_have_expired(
    state: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario(bus: JudgedBus, bootstrap: str) -> list[Problem]:
        await worked(bus, bootstrap, business(SEED, EVENTS, CUSTOMERS, now()))
        before = await bus.judged()
        forgotten(bus, (await bus.looked()).committed)
        if state == "cold":
            bus.fleet = bus.new_fleet("second")
        await worked(bus, bootstrap, one_more(bus.judge.reference, bus.partitions, bus.chance, now()))
        return [*before, *await bus.judged()]

    with arena(tmp_path, SEED) as (broker, bus):
        problems = asyncio.run(observed(bus, scenario(bus, broker.bootstrap)))
    with capsys.disabled():
        print(f"\nrow expired offsets ({state}): {len(bus.publication)} events; {verdict(problems)}\n  {bus.figures()}")
    assert [] == problems, bus.fleet.log()
    assert [] == bus.fleet.exits, bus.fleet.log()


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.parametrize("offsets", ["committed", "expired"])
def test_a_worker_says_which_records_of_the_journal_were_deleted_before_they_were_read(
    offsets: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario(bus: JudgedBus, bootstrap: str) -> tuple[Counter[TopicPartition], list[str]]:
        bus.fleet.start("a")
        await at_work(bootstrap, 1)
        await worked(bus, bootstrap, business(SEED, 500, 50, now(), CLEAN), stop=False)
        lost = await interrupted(bus, further(business(SEED, EVENTS, CUSTOMERS, now(), CLEAN)))
        ends = (await bus.looked()).ends
        delete_records(bootstrap, {tp: end for tp, end in ends.items() if tp.topic == JOURNAL})
        if offsets == "expired":
            forgotten(bus, lost)
        bus.fleet.start("a")
        await settled_or_ended(bus)
        bus.fleet.destroy()
        return lost, [line for line in bus.fleet.log(1_000_000).splitlines() if "deleted" in line and JOURNAL in line]

    with arena(tmp_path, SEED) as (broker, bus):
        lost, said = asyncio.run(observed(bus, scenario(bus, broker.bootstrap)))
    with capsys.disabled():
        print(f"\nrow deleted records ({offsets}): {lost.total()} records in {len(lost)} partitions deleted")
        print("\n".join(f"  {line[:300]}" for line in said))
    named = {tp for tp in lost if any(names(line, tp) for line in said)}
    assert lost, "the workers had read everything"
    assert set(lost) == named, bus.fleet.log()


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
def test_nothing_of_a_journal_that_was_made_anew_is_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(bus: JudgedBus, bootstrap: str) -> list[Problem]:
        await worked(bus, bootstrap, business(SEED, EVENTS, CUSTOMERS, now()))
        before = await bus.judged()
        made_anew(bus, JOURNAL)
        await worked(bus, bootstrap, further(business(SEED, EVENTS // 10, CUSTOMERS, now(), CLEAN)))
        await worked(bus, bootstrap, one_more(bus.judge.reference, bus.partitions, bus.chance, now()))
        return [*before, *await bus.judged()]

    with arena(tmp_path, SEED) as (broker, bus):
        problems = asyncio.run(observed(bus, scenario(bus, broker.bootstrap)))
    with capsys.disabled():
        print(f"\nrow journal made anew: {len(bus.publication)} events; {verdict(problems)}\n  {bus.figures()}")
    assert [] == problems, bus.fleet.log()


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
def test_a_department_may_delete_its_topic_and_make_it_anew_while_the_bus_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario(bus: JudgedBus, bootstrap: str) -> list[Problem]:
        for name in ("a", "b"):
            bus.fleet.start(name)
        await at_work(bootstrap, 2)
        await worked(bus, bootstrap, business(SEED, EVENTS, CUSTOMERS, now(), CLEAN), stop=False)
        before = await bus.judged()
        made_anew(bus, events_topic("web"))
        await worked(bus, bootstrap, further(business(SEED, EVENTS // 10, CUSTOMERS, now(), CLEAN)))
        return [*before, *await bus.judged()]

    with arena(tmp_path, SEED) as (broker, bus):
        problems = asyncio.run(observed(bus, scenario(bus, broker.bootstrap)))
    with capsys.disabled():
        print(f"\nrow department topic made anew: exits {ended(bus.fleet)}; {verdict(problems)}\n  {bus.figures()}")
    assert [] == problems, bus.fleet.log()


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
def test_a_past_that_was_deleted_from_the_topics_does_not_rise_from_a_workers_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario(bus: JudgedBus, bootstrap: str) -> tuple[Counter[str], Counter[str], int]:
        await worked(bus, bootstrap, business(SEED, EVENTS, CUSTOMERS, now(), Habits()))
        await bus.judged()
        made_anew(bus, TIMELINE, PROFILES, NOTIFIED)
        bus.reader.log.records = {}
        bus.reader.log.profiles = {}
        sent = further(business(SEED, EVENTS // 10, CUSTOMERS, now(), Habits()))
        await worked(bus, bootstrap, sent)
        log = await bus.reader.read()
        found = Counter(key.rpartition(b"/")[2].decode() for key in current(log))
        documents = [orjson.loads(record.value)["data"] for record in log.profiles.values() if record.value is not None]
        return Counter(map(uid, sent)), found, sum(document["entries"] for document in documents)

    with arena(tmp_path, SEED) as (broker, bus):
        sent, found, entries = asyncio.run(observed(bus, scenario(bus, broker.bootstrap)))
    with capsys.disabled():
        print(f"\nrow past made anew: {sent.total()} events later, {found.total()} on timelines, {entries} in profiles")
    assert sent == found, bus.fleet.log()
    assert sent.total() == entries


async def observed(bus: JudgedBus, scenario: Coroutine[Any, Any, T]) -> T:
    """What the scenario gives, while the offsets are looked at."""
    async with bus.progress:
        return await scenario


async def worked(bus: JudgedBus, bootstrap: str, sent: list[Sent], *, stop: bool = True) -> None:
    """All of it was published and worked through."""
    if not bus.fleet.names:
        for name in ("a", "b"):
            bus.fleet.start(name)
        await at_work(bootstrap, 2)
    await bus.publish(sent, RATE)
    await bus.drained()
    if stop:
        bus.fleet.stop()


async def interrupted(bus: JudgedBus, sent: list[Sent]) -> Counter[TopicPartition]:
    """All workers die with records of the journal unread: how many of each partition that has some."""
    publishing = asyncio.create_task(bus.publish(sent, BURST_RATE))
    async with asyncio.timeout(DRAIN_SECONDS):
        while (await unread(bus)).total() < UNREAD:
            pass
    bus.fleet.destroy()
    await publishing
    await asyncio.sleep(TRANSACTION_SECONDS)
    await bus.judged()  # reads the journal while it is all there
    reached = await positions(bus)
    journal = bus.reader.log.of(JOURNAL)
    return Counter(tp for r in journal if r.offset >= reached[tp := TopicPartition(JOURNAL, r.partition)])


async def unread(bus: JudgedBus) -> Counter[TopicPartition]:
    """Offsets of the journal."""
    reached, ends = await positions(bus), (await bus.looked()).ends
    return Counter({tp: max(0, ends[tp] - offset) for tp, offset in reached.items()})


async def positions(bus: JudgedBus) -> dict[TopicPartition, int]:
    """How far the journal is worked through. The group hears of it up to a second later."""
    log = ProgressLog(PROGRESS, "journey")
    found = {}
    for number in range(bus.partitions):
        reached = await read_progress(bus.bootstrap, log.place(number), log.key(number))
        found[TopicPartition(JOURNAL, number)] = 0 if reached is None else reached.offset
    return found


def forgotten(bus: JudgedBus, partitions: Iterable[TopicPartition]) -> None:
    """The committed offsets expire, which is no failed look."""
    forget_offsets(bus.bootstrap, GROUP, partitions)
    bus.progress.samples.clear()


async def settled_or_ended(bus: JudgedBus) -> None:
    """Everything that is there was worked through, or a worker would not go on."""
    async with asyncio.timeout(DRAIN_SECONDS):
        while (await bus.looked()).lag and not bus.fleet.exits:
            bus.fleet.supervise()
            await asyncio.sleep(0.5)


def made_anew(bus: JudgedBus, *topics: str) -> None:
    """Deleted, and made again."""
    delete_topics(bus.bootstrap, topics)
    bus.apply_topics()
    for topic in topics:
        bus.reader.begin_anew(topic)
        bus.publication.begin_anew(topic)
    bus.progress.samples.clear()  # their committed offsets have gone with them


def further(sent: list[Sent]) -> list[Sent]:
    """The same things happen to the same people again: events with ids of their own."""
    return [
        replace(
            one,
            value=one.value.replace(b'/system"', b'/system/further"'),
            headers=tuple((n, v + b"/further" if n == "ce_source" else v) for n, v in one.headers),
        )
        for one in sent
    ]


def uid(sent: Sent) -> str:
    """Of a good event."""
    headers = dict(sent.headers)
    if "ce_id" in headers:
        return event_uid(headers["ce_source"].decode(), headers["ce_id"].decode())
    event = orjson.loads(sent.value)
    return event_uid(event["source"], event["id"])


def names(line: str, tp: TopicPartition) -> bool:
    """Does a line of the log name this partition?"""
    return re.search(rf"(partition\W{{1,4}}|{re.escape(JOURNAL)}\W{{1,4}}){tp.partition}\b", line) is not None
