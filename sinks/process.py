"""The composition root of a sink process."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from engine.kafka.limits import DecompressionLimits
from engine.kafka.privates.fetches import install_bounded_fetching
from runtime.ops import Health, OpsPages, announce
from runtime.own_time import STEP, Pulse
from runtime.shutdown import Shutdown

from .base import Topics
from .metrics import SinkMetrics
from .runner import KafkaSource, Pace, Runner
from .sql.sqlite import open_sink

STUCK = 30.0
"""Seconds without a heartbeat of the event loop, while CPU time was available, after which a sink is not alive."""
NAME = "sink"
SOON = 5.0
"""Seconds between two attempts: to reach Kafka, and to commit the group's offsets. A new cluster does not accept that
commit at once, and until then ``cxbus status`` shows every record as unread.
"""
WRONG = 1
"""Exit code of a process that had to be ended."""


@dataclass(frozen=True, slots=True)
class SinkConfig:
    """What a sink copies, and where to. ``group`` only shows its lag; ``data_dir`` notes where its ops pages are."""

    bootstrap: str
    topics: Topics
    group: str
    database: Path
    data_dir: Path
    ops_host: str
    ops_port: int
    unpacking: DecompressionLimits


class SinkProcess:
    """Copies the bus's topics into the database, and serves ops pages. Raises ``SinkRefused`` when it may not."""

    def __init__(self, place: SinkConfig, ending: Shutdown) -> None:
        install_bounded_fetching(place.unpacking)
        self._place = place
        self._ending = ending
        self._pulse = Pulse()
        self._stop = asyncio.Event()
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.metrics = SinkMetrics(self.registry)
        self._sink = open_sink(place.database, place.topics)
        source = KafkaSource(place.bootstrap, sorted(place.topics.kinds()), place.group)
        self._runner = Runner(self._sink, source, observer=self.metrics, pace=Pace(recheck=SOON, longest_wait=SOON))

    def live(self) -> Health:
        """Does the event loop run?"""
        age = self._pulse.age()
        return Health(age < STUCK, f"last heartbeat {age:.1f} s ago")

    def ready(self) -> Health:
        """Is it copying?"""
        if self._stop.is_set():
            return Health(False, "is stopping")
        if self.metrics.failing:
            return Health(False, f"the {self.metrics.failing} can't be used; trying again")
        if not self.metrics.reading:
            return Health(False, "waiting for Kafka and its topics")
        return Health(True, f"{self.metrics.left} records behind")

    def run(self) -> int:
        """Copy until SIGTERM or Ctrl-C; returns the exit code. Raises ``SinkRefused`` and ``SinkLost``."""
        pages = OpsPages(self.registry, self.live, self.ready, self._place.ops_host, self._place.ops_port)
        note = announce(self._place.data_dir / "run", NAME, os.getpid(), pages.url)
        try:
            asyncio.run(self._run())
        finally:
            self._ending.begin("the sink has stopped", WRONG)
            note.unlink(missing_ok=True)
            pages.close()
            self._sink.close()
        return 0

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._ending.hanging = lambda: ", ".join(sorted(one.get_name() for one in asyncio.all_tasks(loop)))
        self._ending.on_request(lambda: loop.call_soon_threadsafe(self._stop.set))
        beating = asyncio.create_task(self._beat(), name="pulse")
        try:
            await self._runner.run(self._stop)
        finally:
            self._ending.begin("the sink was asked to stop", WRONG)
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            self._pulse.beat()
            await asyncio.sleep(STEP)
