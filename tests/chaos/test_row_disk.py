"""A disk that is full, under the broker and under a worker, and has room again later."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deploy.broker import BrokerFailed, EmbeddedBroker
from schemas.topics import TIMELINE

from .arena import JudgedBus, arena, at_work, ended, members, now, verdict
from .business import business
from .checker import Problem
from .namespace import in_namespace
from .pauses import pauses, streams
from .small_disk import SmallDisk

SEED, EVENTS, CUSTOMERS, RATE = 16, 8_000, 300, 250.0
BROKER_MIB, WORKER_MIB = 400, 48
BEFORE, FULL = 6.0, 20.0
"""Seconds of undisturbed work, and without room."""
BROKER_FULL, BROKER_EVENTS, BROKER_RATE = 60.0, 16_000, 1_000.0
"""Seconds without room for the broker, long enough to pass every limit of a worker, and the load."""
MOST_RECOVERY = 60.0
PUBLISH_SECONDS = 240.0


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
@in_namespace
def test_nothing_acknowledged_is_lost_and_all_work_again_when_the_brokers_disk_was_full_for_a_minute(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SmallDisk(tmp_path / "broker" / "kafka", BROKER_MIB) as disk, arena(tmp_path, SEED) as (broker, bus):
        told, problems, recovery, errors = asyncio.run(under_the_broker(bus, broker, disk))
        hard = [
            line for line in bus.fleet.log(10_000_000).splitlines() if "process exits without a clean shutdown" in line
        ]
    with capsys.disabled():
        print(f"\n{told}\n  left hard: {hard}")
    assert [] == problems, bus.fleet.log()
    assert recovery <= MOST_RECOVERY
    assert errors > 0  # an error, never a false yes


async def under_the_broker(
    bus: JudgedBus, broker: EmbeddedBroker, disk: SmallDisk
) -> tuple[str, list[Problem], float, int]:
    """The run: in words, what is wrong, the seconds from room again to work, and the publisher's errors."""
    for name in ("a", "b"):
        bus.fleet.start(name)
    await at_work(broker.bootstrap, 2)
    sent = business(SEED, BROKER_EVENTS, CUSTOMERS, now())
    keeper = Keeper(broker)
    keeping = asyncio.create_task(keeper.keep(bus))
    publishing = asyncio.create_task(bus.publish(sent, BROKER_RATE))
    await asyncio.sleep(BEFORE)
    disk.fill()
    await asyncio.sleep(BROKER_FULL)
    while_full = keeper.deaths
    disk.empty()
    room = now() // 1000
    async with asyncio.timeout(PUBLISH_SECONDS):
        publisher = await publishing
    async with bus.progress:
        await bus.drained()
    stops = bus.fleet.stop()
    keeping.cancel()
    problems = await bus.judged()
    came = [record.timestamp for record in bus.reader.log.of(*bus.events)]
    written = [record.timestamp for record in bus.reader.log.of(TIMELINE)]
    taken, recovery = ((min(moment for moment in times if moment > room) - room) / 1000 for times in (came, written))
    told = (
        f"row full disk, broker: seed {SEED}, {len(sent)} events, {len(came)} records; full for {BROKER_FULL:g} s: "
        f"the broker ended {while_full} times, {keeper.refusals} starts in vain; publisher's errors "
        f"{publisher.errors}, longest wait {publisher.longest:.1f} s; taken again after {taken:.1f} s, on a timeline "
        f"after {recovery:.1f} s; workers ended {ended(bus.fleet)}, stopped with "
        f"{[code for code, _ in stops]}; {verdict(problems)}\n  {bus.figures()}"
    )
    return told, problems, recovery, publisher.errors


class Keeper:
    """Starts the broker again when it has ended, as the supervisor does, and the workers, too."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker
        self.deaths = 0
        self.refusals = 0

    async def keep(self, bus: JudgedBus) -> None:
        """Until it is cancelled."""
        down = False
        while True:
            bus.fleet.supervise()
            if self._broker.exit_code() is not None:
                self.deaths += 1
                down = True
            if down:
                try:
                    await asyncio.to_thread(self._broker.start)
                    down = False
                except BrokerFailed:
                    self.refusals += 1
            await asyncio.sleep(0.5)


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.parametrize("state", ["kept", "lost"])
@in_namespace
def test_a_worker_whose_disk_is_full_says_so_and_works_again_when_there_is_room(
    state: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has state makes room by letting go of it, and may live in memory; without state there is no room to make."""
    home = tmp_path / "first" / "data" / "workers" / "b"
    with SmallDisk(home, WORKER_MIB) as disk, arena(tmp_path, SEED) as (broker, bus):
        told, problems, back = asyncio.run(under_a_worker(bus, broker.bootstrap, disk, lost=state == "lost"))
        said = [line for line in bus.fleet.log(1_000_000).splitlines() if "No space left" in line]
    with capsys.disabled():
        print(f"\n{told}\n  {said[0][:300] if said else 'said nothing'}")
    assert [] == problems, bus.fleet.log()
    assert 2 == back, bus.fleet.log()
    assert {("b", 1)} >= {(one.name, one.code) for one in bus.fleet.exits}, bus.fleet.log()
    if state == "lost":
        assert bus.fleet.exits, bus.fleet.log()
        assert {True} == {"No space left" in one.why for one in bus.fleet.exits}, bus.fleet.exits
    assert said, bus.fleet.log()
    assert "please report it" not in bus.fleet.log(1_000_000)  # a full disk is no fault of the program


async def kept_full(disk: SmallDisk) -> None:
    """Somebody else takes every byte that becomes free, until this is cancelled."""
    while True:
        disk.fill()
        await asyncio.sleep(0.01)


async def under_a_worker(
    bus: JudgedBus, bootstrap: str, disk: SmallDisk, *, lost: bool
) -> tuple[str, list[Problem], int]:
    """The run: in words, what is wrong, and how many workers there are at its end."""
    async with bus.progress:
        for name in ("a", "b"):
            bus.fleet.start(name)
        await at_work(bootstrap, 2)
        publishing = asyncio.create_task(bus.publish(business(SEED, EVENTS, CUSTOMERS, now()), RATE))
        await bus.work(BEFORE)
        filling = asyncio.create_task(kept_full(disk))
        await asyncio.sleep(0.5)
        bus.fleet.kill("b")  # the next one finds no room
        if lost:
            disk.forget()
            disk.fill()
        bus.mark("kill")
        await bus.work(FULL)
        times = len(bus.fleet.exits)
        filling.cancel()
        disk.empty()
        while not publishing.done():
            await bus.work(0.5)
        await publishing
        await bus.drained()
        back = len(await members(bootstrap))
        stops = bus.fleet.stop()
        problems = await bus.judged()
    ((longest, _, _),) = pauses(bus.marks, streams(bus.reader.log, bus.events))["kill"]
    told = (
        f"row full disk, worker, state {'lost' if lost else 'kept'}: seed {SEED}, {len(bus.publication)} events; "
        f"full for {FULL:g} s, it ended {times} times ({ended(bus.fleet)}), "
        f"longest pause of a partition {longest:.1f} s; stopped with "
        f"{[code for code, _ in stops]}; {verdict(problems)}\n  {bus.figures()}"
    )
    return told, problems, back
