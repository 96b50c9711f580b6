"""The whole bus under test: a broker and its topics, workers, and what can be done to them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.topic_admin import apply
from deploy.broker import EmbeddedBroker
from runtime.settings import Settings
from schemas.registry import Registry
from schemas.topics import JOURNAL, LINKS, events_topic

from .faults import Planned
from .fleet import Fleet
from .pauses import Mark
from .progress import Progress

NAMES = ("a", "b", "c", "d")
KEY = "a key for the chaos test"
LOOK_SECONDS = 1.0
"""Between two looks at offsets and memory."""
SETTLED_SECONDS = 45.0
"""After which a fault that waits for a settled bus comes anyway."""
SETTLED_LAG = 3.0
"""Seconds of the load that a settled bus may be behind by its offsets, which follow a second behind on both stages."""


class Bus:
    """Broker, topics and workers. ``marks`` notes what was done to them, and when."""

    def __init__(self, home: Path, broker: EmbeddedBroker, partitions: int, rate: float = 0) -> None:
        registry = Registry.discover()
        self._home = home
        self._broker = broker
        self._rate = rate
        self.bootstrap = broker.bootstrap
        self.partitions = partitions
        self.departments = registry.publishers
        self.events = tuple(events_topic(name) for name in self.departments)
        self._topics = registry.topics(partitions, 1)
        self.sizes = [(topic.name, topic.partitions) for topic in self._topics]
        inputs = [(name, count) for name, count in self.sizes if name in (*self.events, LINKS, JOURNAL)]
        self.progress = Progress(self.bootstrap, Settings().app_id, inputs, self.sizes)
        self.marks: list[Mark] = []
        self.unsettled = 0
        """Faults that came before the bus had settled."""
        self.fleet = self.new_fleet("first")

    def new_fleet(self, name: str) -> Fleet:
        """Workers that have no local state yet."""
        return Fleet(self._home / name, self.bootstrap, self.partitions, KEY)

    def apply_topics(self) -> None:
        """Makes the topics."""
        apply(self.bootstrap, self._topics)

    @contextmanager
    def processes(self) -> Iterator[None]:
        """Whatever happens, no worker is left at the end."""
        try:
            yield
        finally:
            self.fleet.destroy()

    def memory(self) -> dict[str, int]:
        """Resident MiB of each worker."""
        return self.fleet.memory()

    # --- faults: implements faults.Victim ---------------------------------------------------------------------------

    async def suffer(self, planned: list[Planned]) -> None:
        """One fault after the other."""
        for one in planned:
            await self.work(one.pause)
            if one.fault.calm:
                await self.settled()
            await one.fault.strike(self, one.pick)

    def mark(self, what: str) -> None:
        """From this moment on the bus is asked to be back at work."""
        self.marks.append(Mark(what, time.time_ns() // 1_000_000))

    async def work(self, seconds: float) -> None:
        """Lets time pass, as a supervisor does."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.fleet.supervise()
            await asyncio.sleep(min(0.1, left))

    async def settled(self) -> None:
        """Waits until two samples in a row show hardly any lag, all workers running."""
        end = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < end:
            await self.work(2 * LOOK_SECONDS)
            latest = self.progress.samples[-2:]
            if latest and max(sample.lag for sample in latest) <= self._rate * SETTLED_LAG + 50:
                return
        self.unsettled += 1

    async def kill(self, pick: float, *, lose: bool = False, count: int = 1) -> None:
        """SIGKILL; with ``lose`` the state directory is gone too; ``count`` workers at once."""
        first = await self._choose(pick)
        others = [name for name in self.fleet.running if name != first]
        for name in [first, *others[: count - 1]]:
            self.fleet.kill(name, lose=lose)
        self.mark("lost state" if lose else "kill" if count == 1 else "kill of two")

    async def freeze(self, pick: float, seconds: float) -> None:
        """SIGSTOP, and after that time SIGCONT."""
        name = await self._choose(pick)
        self.fleet.freeze(name)
        self.mark("zombie")
        await self.work(seconds)
        self.fleet.thaw(name)

    async def leave(self, pick: float) -> None:
        """Tells a worker to stop, and waits for it."""
        name = await self._choose(pick)
        process = self.fleet.tell(name)
        self.mark("graceful stop")
        while process.poll() is None:
            await self.work(0.1)

    def join(self, count: int = 1) -> None:
        """Starts workers."""
        free = [name for name in NAMES if name not in self.fleet.names]
        for name in free[:count]:
            self.fleet.start(name)
        self.mark("start")

    async def freeze_broker(self, seconds: float) -> None:
        """SIGSTOP, and after that time SIGCONT."""
        os.killpg(self._broker.group, signal.SIGSTOP)
        self.mark("broker away")
        try:
            await self.work(seconds)
        finally:
            os.killpg(self._broker.group, signal.SIGCONT)
        self.mark("broker thawed")

    async def kill_broker(self, seconds: float) -> None:
        """SIGKILL, and after that time a new one on the same port and data."""
        os.killpg(self._broker.group, signal.SIGKILL)
        self.mark("broker away")
        while self._broker.exit_code() is None:  # what is not yet buried would be taken for running
            await self.work(0.01)
        await self.work(seconds)
        starting = asyncio.create_task(asyncio.to_thread(self._broker.start))
        while not starting.done():
            await self.work(0.1)
        assert self.bootstrap == await starting
        self.mark("broker restarted")

    async def _choose(self, pick: float) -> str:
        """One of those that are wanted; if it is just away, it is waited for."""
        names = self.fleet.names
        name = names[min(int(pick * len(names)), len(names) - 1)]
        while name not in self.fleet.running:
            await self.work(0.1)
        return name
