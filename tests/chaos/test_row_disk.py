"""A disk that is full, under the broker and under a worker, and has room again later."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from deploy.broker import BrokerFailed, EmbeddedBroker
from engine.store import Store

from .arena import DRAIN_SECONDS, arena, at_work, members, now, verdict
from .bus import Bus
from .business import business
from .checker import Problem
from .namespace import in_namespace
from .small_disk import SmallDisk
from .stubborn_publisher import StubbornPublisher, department_records

SEED, EVENTS, CUSTOMERS, RATE = 16, 8_000, 300, 250.0
BROKER_MIB, WORKER_MIB = 400, 48
BEFORE, FULL = 6.0, 20.0
"""Seconds of undisturbed work, and without room."""
MOST_RECOVERY = 30.0
PUBLISH_SECONDS = 240.0


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
@in_namespace
def test_nothing_acknowledged_is_lost_when_the_brokers_disk_is_full(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SmallDisk(tmp_path / "broker" / "kafka", BROKER_MIB) as disk, arena(tmp_path, SEED) as (broker, bus):
        publisher = StubbornPublisher(broker.bootstrap)
        told, problems, recovery = asyncio.run(under_the_broker(bus, broker, disk, publisher))
        falsely = publisher.falsely_told(bus.reader.log)
    with capsys.disabled():
        print(f"\n{told}")
    assert [] == falsely
    assert [] == problems, bus.fleet.log()
    assert recovery <= MOST_RECOVERY
    assert publisher.errors.total() > 0  # an error, never a false yes


async def under_the_broker(
    bus: Bus, broker: EmbeddedBroker, disk: SmallDisk, publisher: StubbornPublisher
) -> tuple[str, list[Problem], float]:
    """The run: in words, what is wrong, and the seconds from room again to the first acknowledgement."""
    for name in ("a", "b"):
        bus.fleet.start(name)
    await at_work(broker.bootstrap, 2)
    sent = business(SEED, EVENTS, CUSTOMERS, now())
    bus.judge.expect(sent)
    keeper = Keeper(broker)
    keeping = asyncio.create_task(keeper.keep(bus))
    publishing = asyncio.create_task(publisher.publish(sent, RATE, PUBLISH_SECONDS))
    await asyncio.sleep(BEFORE)
    disk.fill()
    await asyncio.sleep(FULL)
    while_full = keeper.deaths
    disk.empty()
    room = time.monotonic()
    await publishing
    recovery = next(moment for moment in publisher.moments if moment > room) - room
    async with bus.progress:
        await bus.progress.drained(DRAIN_SECONDS, bus.fleet.supervise)
    stops = bus.fleet.stop()
    keeping.cancel()
    bus.published = department_records(await bus.reader.read())
    problems = await bus.judged()
    told = (
        f"row full disk, broker: seed {SEED}, {len(sent)} events, {bus.published} records; full for {FULL:g} s: the "
        f"broker ended {while_full} times, {keeper.refusals} starts in vain; publisher's errors "
        f"{dict(publisher.errors)}; acknowledged again after {recovery:.1f} s; workers ended {bus.fleet.exits}, "
        f"stopped with {[code for code, _ in stops]}; {verdict(problems)}\n  {bus.figures()}"
    )
    return told, problems, recovery


class Keeper:
    """Starts the broker again when it has ended, as the supervisor does, and the workers, too."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker
        self.deaths = 0
        self.refusals = 0

    async def keep(self, bus: Bus) -> None:
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
@in_namespace
def test_a_worker_whose_disk_is_full_says_so_and_works_again_when_there_is_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "first" / "data" / "workers" / "b"
    with SmallDisk(home, WORKER_MIB) as disk, arena(tmp_path, SEED) as (broker, bus):
        told, problems, back = asyncio.run(under_a_worker(bus, broker.bootstrap, disk))
        said = [line for line in bus.fleet.log(1_000_000).splitlines() if "No space left" in line]
    with capsys.disabled():
        print(f"\n{told}\n  {said[0][:300] if said else 'said nothing'}")
    assert [] == problems, bus.fleet.log()
    assert 2 == back, bus.fleet.log()
    assert {("b", 1)} == set(bus.fleet.exits), bus.fleet.log()
    assert said, bus.fleet.log()
    assert "please report it" not in bus.fleet.log(1_000_000)  # a full disk is no fault of the program


def test_a_database_whose_making_was_broken_off_does_not_stop_the_next_start(tmp_path: Path) -> None:
    home = tmp_path / "directory"
    Store(home, ("identities",)).close()
    (home / "CURRENT").unlink()  # written last when it is made, and maybe removed first when it is wiped
    store = Store(home, ("identities",))
    assert store.get("identities", b"anybody") is None
    store.close()


async def kept_full(disk: SmallDisk) -> None:
    """Somebody else takes every byte that becomes free, until this is cancelled."""
    while True:
        disk.fill()
        await asyncio.sleep(0.01)


async def under_a_worker(bus: Bus, bootstrap: str, disk: SmallDisk) -> tuple[str, list[Problem], int]:
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
        await bus.progress.killed()
        await bus.work(FULL)
        ended = len(bus.fleet.exits)
        filling.cancel()
        disk.empty()
        while not publishing.done():
            await bus.work(0.5)
        await publishing
        await bus.progress.drained(DRAIN_SECONDS, bus.fleet.supervise)
        back = len(await members(bootstrap))
        stops = bus.fleet.stop()
        problems = await bus.judged()
    told = (
        f"row full disk, worker: seed {SEED}, {bus.published} events; full for {FULL:g} s, it ended {ended} times, the "
        f"others went on after {[round(s, 1) for s in bus.progress.recoveries]} s; stopped with "
        f"{[code for code, _ in stops]}; {verdict(problems)}\n  {bus.figures()}"
    )
    return told, problems, back
