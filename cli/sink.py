"""The composition root of a sink process, and ``cxbus sink``, which runs it."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import typer

from .bus import bus_of
from .problem import Code, Problem
from .tether import tie

if TYPE_CHECKING:
    from agents.ops import Health
    from agents.settings import Settings

STUCK = 30.0
"""Seconds without a beat of the event loop after which a sink is not alive."""
NAME = "sink"
SOON = 5.0
"""Seconds between two tries: to reach a Kafka that was away, and to show how far the sink is, which a new cluster does
not take at once (until then ``cxbus status`` would show everything as unread).
"""


class SinkProcess:
    """Copies the bus's topics into the database, with ops pages. Raises ``SinkRefused`` when it may not."""

    def __init__(self, settings: Settings, bootstrap: str) -> None:
        from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

        from engine.aiokafka_internals import read_light
        from engine.limits import Unpacking
        from sinks.runner import Pace, Runner, Source
        from sinks.sql.sqlite import open_sink

        from .database import database_path, sink_group, sink_topics
        from .sink_metrics import SinkMetrics

        read_light(Unpacking(settings.unpacked_batch_bytes, settings.unpacked_bytes))
        self._settings = settings
        self._beat = time.monotonic()
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.metrics = SinkMetrics(self.registry)
        topics = sink_topics()
        self._sink = open_sink(database_path(settings), topics)
        source = Source(bootstrap, sorted(topics.kinds()), sink_group(settings))
        self._runner = Runner(self._sink, source, observer=self.metrics, pace=Pace(recheck=SOON, longest_wait=SOON))

    def live(self) -> Health:
        """Does the event loop turn?"""
        from agents.ops import Health

        age = time.monotonic() - self._beat
        return Health(age < STUCK, f"last beat {age:.1f} s ago")

    def ready(self) -> Health:
        """Is it copying?"""
        from agents.ops import Health

        if self.metrics.failing:
            return Health(False, f"the {self.metrics.failing} can't be used; trying again")
        if not self.metrics.reading:
            return Health(False, "waiting for Kafka and its topics")
        return Health(True, f"{self.metrics.left} records behind")

    def run(self) -> int:
        """Copy until told to stop (SIGTERM, Ctrl-C); returns the exit code. Raises ``SinkRefused`` and ``SinkLost``."""
        import asyncio

        from agents.ops import OpsPages, announce

        pages = OpsPages(self.registry, self.live, self.ready, self._settings.ops_host, self._settings.ops_port)
        note = announce(self._settings.data_dir / "run", NAME, os.getpid(), pages.url)
        try:
            asyncio.run(self._run())
        finally:
            note.unlink(missing_ok=True)
            pages.close()
            self._sink.close()
        return 0

    async def _run(self) -> None:
        import asyncio

        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        heart = asyncio.create_task(self._heart())
        try:
            await self._runner.run(stop)
        finally:
            heart.cancel()

    async def _heart(self) -> None:
        import asyncio

        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(1)


def sink(context: typer.Context) -> None:
    """Run one sink: copies timelines, profiles, alerts and identities into the database.

    `cxbus run` starts one; on a cluster run exactly one for each database. It waits for a Kafka that is away.

    Example: CXBUS_BOOTSTRAP=kafka:9092 CXBUS_DATABASE=sqlite:////var/lib/cxbus.db cxbus sink
    """
    tie()
    from agents import log
    from sinks.base import SinkLost

    bus = bus_of(context)
    log.configure(verbose=bus.verbose)
    try:
        raise typer.Exit(SinkProcess(bus.settings, bus.address()).run())
    except SinkLost as lost:
        raise Problem(f"{lost} Start it again: the new one is filled from the topics.", Code.WRONG) from lost
