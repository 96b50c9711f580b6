"""A broker with the topics that a sink copies, a writer, one database, and the verification of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from agents.topic_admin import apply
from schemas.alerted import ALERTED
from schemas.registry import Registry
from schemas.topics import IDENTITIES, PROFILES, TIMELINE, Topic, alerts_topic

from . import sink_log
from .sink_checker import Copy
from .sink_disk import PLACE, CopyOnDisk, SmallDisk
from .sink_process import SinkProcess
from .sink_writer import Writer

PARTITIONS = 3
PATIENCE = 90.0
LOOK = 0.05
NAMES = (TIMELINE, PROFILES, IDENTITIES, *(alerts_topic(department) for department in ALERTED))


def catalogued(partitions: int = PARTITIONS) -> list[Topic]:
    """The topics that a sink reads, as ``cxbus topics apply`` makes them."""
    return [topic for topic in Registry.discover().topics(partitions, 1) if topic.name in NAMES]


SIZES: Mapping[str, int] = {topic.name: topic.partitions for topic in catalogued()}


class Stage:
    """One sink with one database, and those who write and read the topics beside it."""

    def __init__(self, home: Path, bootstrap: str, writer: Writer, disk: SmallDisk | None = None) -> None:
        database = (PLACE if disk else home) / "db" / "cxbus.db"
        self.bootstrap = bootstrap
        self.writer = writer
        self.sink = SinkProcess(home, bootstrap, database, disk)
        self.copy = CopyOnDisk(disk, database, home) if disk else Copy(database)

    @asynccontextmanager
    async def busy(self, rate: float) -> AsyncIterator[None]:
        """Meanwhile about ``rate`` records/s are written."""
        stop = asyncio.Event()
        writing = asyncio.create_task(self.writer.go_on(stop, rate))
        try:
            yield
        finally:
            stop.set()
            await writing

    def reached(self) -> int:
        """How many offsets the database has passed."""
        return sum(self.copy.offsets().values())

    async def moved(self, beyond: int, *, supervised: bool = True) -> float:
        """Seconds until the database has passed more than ``beyond`` offsets."""
        return await self.until(lambda: self.reached() > beyond, supervised=supervised)

    async def at_end(self, *, supervised: bool = True) -> float:
        """Seconds until the database has all that is committed now."""
        ends = await sink_log.ends(self.bootstrap, SIZES)
        return await self.until(lambda: _is_at(self.copy.offsets(), ends), supervised=supervised)

    async def until(self, holds: Callable[[], bool], *, supervised: bool = True) -> float:
        """Seconds until this holds; whoever ends meanwhile is started again. TimeoutError after ``PATIENCE``."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    if supervised:
                        self.sink.supervise()
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            raise AssertionError(f"waited for {PATIENCE:.0f} s in vain; the sink:\n{self.sink.log()[-4000:]}") from None
        return time.monotonic() - began

    async def lag(self) -> int:
        """Offsets that the database has not passed yet."""
        known = self.copy.offsets()
        ends = await sink_log.ends(self.bootstrap, SIZES)
        return sum(end - known.get(place, 0) for place, end in ends.items())

    async def contents(self) -> sink_log.Contents:
        """All that is on the topics now."""
        return await sink_log.contents(self.bootstrap, SIZES)

    async def differences(self, *, remembers: bool = False) -> list[str]:
        """In what the database is not what the topics say; waits until it has read them all."""
        await self.at_end()
        topics = await self.contents()
        await self.until(lambda: _is_at(self.copy.offsets(), topics.ends))
        return self.copy.differences(topics, remembers=remembers)


def apply_topics(bootstrap: str) -> None:
    """Makes the topics."""
    apply(bootstrap, catalogued())


def _is_at(offsets: Mapping[sink_log.Place, int], ends: Mapping[sink_log.Place, int]) -> bool:
    return offsets.keys() == ends.keys() and all(offsets[place] >= end for place, end in ends.items())
