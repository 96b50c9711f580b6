"""The composition root of a sink process, and ``cxbus sink``, which runs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from .bus import bus_of
from .problem import Code, Problem
from .tether import tie

if TYPE_CHECKING:
    from agents.ops import Health
    from agents.settings import Settings
    from runtime.ending import Ending

STUCK = 30.0
"""Seconds without a beat of the event loop, though there was a processor for it, after which a sink is not alive."""
NAME = "sink"
SOON = 5.0
"""Seconds between two tries: to reach a Kafka that was away, and to show how far the sink is, which a new cluster does
not take at once (until then ``cxbus status`` would show everything as unread).
"""


class SinkProcess:
    """Copies the bus's topics into the database, with ops pages. Raises ``SinkRefused`` when it may not."""

    def __init__(self, settings: Settings, bootstrap: str, ending: Ending) -> None:
        import asyncio

        from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

        from engine.kafka.limits import Unpacking
        from engine.kafka.privates.fetches import read_light
        from runtime.own_time import Pulse
        from sinks.runner import Pace, Runner, Source
        from sinks.sql.sqlite import open_sink

        from .database import database_path, sink_group, sink_topics
        from .sink_metrics import SinkMetrics

        read_light(Unpacking(settings.unpacked_batch_bytes, settings.unpacked_bytes))
        self._settings = settings
        self._ending = ending
        self._pulse = Pulse()
        self._stop = asyncio.Event()
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

        age = self._pulse.age()
        return Health(age < STUCK, f"last beat {age:.1f} s ago")

    def ready(self) -> Health:
        """Is it copying?"""
        from agents.ops import Health

        if self._stop.is_set():
            return Health(False, "is ending")
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
            self._ending.begin("the sink has stopped", Code.WRONG)
            note.unlink(missing_ok=True)
            pages.close()
            self._sink.close()
        return 0

    async def _run(self) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        self._ending.hanging = lambda: ", ".join(sorted(one.get_name() for one in asyncio.all_tasks(loop)))
        self._ending.on_request(lambda: loop.call_soon_threadsafe(self._stop.set))
        beating = asyncio.create_task(self._beat(), name="pulse")
        try:
            await self._runner.run(self._stop)
        finally:
            self._ending.begin("the sink was to stop", Code.WRONG)
            beating.cancel()

    async def _beat(self) -> None:
        import asyncio

        from runtime.own_time import STEP

        while True:
            self._pulse.beat()
            await asyncio.sleep(STEP)


def sink(context: typer.Context) -> None:
    """Run one sink: copies timelines, profiles, alerts and identities into the database.

    `cxbus run` starts one; on a cluster run exactly one for each database. It waits for a Kafka that is away.

    Example: CXBUS_BOOTSTRAP=kafka:9092 CXBUS_DATABASE=sqlite:////var/lib/cxbus.db cxbus sink
    """
    tie()
    from agents import log
    from runtime.ending import Ending
    from sinks.base import SinkLost

    bus = bus_of(context)
    log.configure(verbose=bus.verbose)
    settings, bootstrap, ending = bus.settings, bus.address(), Ending()
    ending.listen()  # before anything starts a thread
    try:
        raise typer.Exit(SinkProcess(settings, bootstrap, ending).run())
    except SinkLost as lost:
        raise Problem(f"{lost} Start it again: the new one is filled from the topics.", Code.WRONG) from lost
