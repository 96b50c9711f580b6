"""The composition root: the one place that builds a worker.

Intake routes what departments publish to the journal, through the resolver if the customer is not known yet. The
journey turns the journal into timelines, profiles and alerts. ``agents.stages`` says which stage reads and writes which
topics.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from core.rules.ruleset import RuleSet
from engine.faust.application import create_app
from engine.faust.rounds import rounds
from engine.faust.transport import BatchConsumer
from engine.faust.worker import run_worker
from engine.kafka.broker_errors import fatal
from engine.kafka.errors import Fatal, Permanent
from engine.kafka.limits import DecompressionLimits, Limits
from engine.store.store import discard_unused
from engine.transactional.partition_state import Processor
from engine.transactional.partitions import TransactionalPartitions
from engine.transactional.progress import ProgressLog
from runtime.ops import Health, OpsPages, announce
from runtime.settings import Settings
from runtime.shutdown import Shutdown
from schemas.codec import Codec
from schemas.registry import Registry

from .directory import Directory
from .identifiers import Identifiers
from .intake import BATCH_BYTES, Intake
from .journey import Journey
from .metrics import EngineMetrics, Metrics
from .resolver import Resolver
from .rule_files import BUILT_IN, load
from .stages import topology
from .topology import Stage, Topology
from .vocabulary import vocabulary

UNASSIGNED = 45.0
"""Seconds of the process's own time after which a worker to which the group has assigned nothing ends: aiokafka can
miss that a broker is back.
"""

STUCK = 30.0
"""Seconds without a heartbeat of the event loop, although the process had CPU time, after which the worker is not live.
"""

YOUNG = 500_000
"""Garbage collector threshold: objects allocated and not freed before it looks for cycles. That is half a second of
work, and some 50 MiB if all of them were garbage. Reference counts free the records in flight and the cached customers;
of 120,000 events 1,600 objects were left to the collector, and at 100,000 it took 2 % of the CPU.
"""

_Agent = Callable[[Any], Awaitable[None]]


def rules(settings: Settings, registry: Registry) -> RuleSet:
    """The rules in force. Raises ``agents.rule_files.RuleFileError``."""
    return load(settings.rules_dir or BUILT_IN, vocabulary(registry), registry.outreach)


class Worker:
    """One worker process: the Faust application with its agents and their dependencies."""

    def __init__(self, settings: Settings, bootstrap: str, name: str) -> None:
        registry = Registry.discover()
        identifiers = Identifiers(
            settings.key(), settings.phone_region, settings.blocked_identifiers, settings.identifier_types
        )
        home = settings.data_dir / "workers" / name
        home.mkdir(parents=True, exist_ok=True)
        home.parent.chmod(0o700)  # its databases hold personal data
        discard_unused(home, time.time(), Limits().cache)
        self._settings = settings
        self._name = name
        self._home = home
        self._tasks: list[asyncio.Task[None]] = []
        self._partitions_verified = asyncio.Event()
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.metrics = Metrics(self.registry)
        unpacking = DecompressionLimits(settings.unpacked_batch_bytes, settings.unpacked_bytes)
        self.app = create_app(settings.app_id, bootstrap=bootstrap, data_dir=home / "faust", unpacking=unpacking)
        self.app.on_lost = EngineMetrics(self.metrics, "intake").lost
        partitions = settings.partition_count()
        in_force = rules(settings, registry)
        stages = topology(registry, settings.app_id, partitions)
        self.directory = Directory(bootstrap, identifiers, home / stages["intake"].store_of())
        self.metrics.blocked_values.set_function(lambda: self.directory.blocked.count)
        self.intake = Intake(Codec(registry), identifiers, self.directory, partitions, bootstrap, self.metrics)
        self.resolver = self._owner(
            stages["resolver"],
            lambda p, store: Resolver(
                p, partitions, identifiers, store, self.metrics, settings.identifier_links_per_day
            ),
        )
        self.journey = self._owner(
            stages["journey"],
            lambda p, store: Journey(p, partitions, in_force, identifiers, store, self.metrics),
        )
        self._wire(stages)

    def _owner(self, stage: Stage, make: Callable[[int, Path], Processor]) -> TransactionalPartitions:
        """The owner of the stage's input partitions. ``make`` builds a processor from a partition's number and store
        path.
        """
        (topic,), group, transactions = stage.reads, stage.group, stage.transactions
        assert group is not None, "a stage of a worker is in its group"
        assert transactions is not None, "it owns nothing"
        owner = TransactionalPartitions(
            topic=topic,
            group_id=group,
            transactional_id_prefix=transactions.id,
            bootstrap=self.app.bootstrap,
            progress=ProgressLog(transactions.progress, stage.name, transactions.first),
            make_processor=lambda p: make(p, self._home / stage.store_of(p)),
            on_fatal=self.app.fatal,
            observer=EngineMetrics(self.metrics, stage.name),
            limits=Limits(batch_bytes=BATCH_BYTES),
        )
        self.app.register(owner)
        return owner

    def _wire(self, stages: Topology) -> None:
        """The pipeline: intake starts at once, resolver and journey when the number of partitions is verified."""

        @self._agent(stages["intake"], by_time=True)
        async def intake(stream: Any) -> None:
            async with self._helpers():
                async for together in rounds(stream):
                    self._spawn(self.intake.take(together), "intake")

        @self._agent(stages["resolver"])
        async def resolver(stream: Any) -> None:
            await self._partitions_verified.wait()
            async for together in rounds(stream):
                self.resolver.submit(together)

        @self._agent(stages["journey"])
        async def journey(stream: Any) -> None:
            await self._partitions_verified.wait()
            async for together in rounds(stream):
                self.journey.submit(together)

    def _agent(self, stage: Stage, *, by_time: bool = False) -> Callable[[_Agent], _Agent]:
        """Registers a function as the stage's Faust agent; it gets the stream of the stage's inputs."""
        topic = self.app.batch_topic(*stage.reads, by_time=by_time)
        return cast("Callable[[_Agent], _Agent]", self.app.agent(topic, name=stage.name))

    @asynccontextmanager
    async def _helpers(self) -> AsyncIterator[None]:
        """Runs beside the agents: the directory's tail of its topic, intake's producer, the lag metric."""
        await self.intake.start()
        await self._check_partitions()
        self._spawn(self._update_lag(), "lag")
        self._spawn(self.directory.tail(), "directory")
        await self.directory.caught_up.wait()
        try:
            yield
        finally:
            await self.intake.stop()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _check_partitions(self) -> None:
        """Checks that the journal has as many partitions as configured; resolver and journey wait for it. With another
        number a customer would be split over two partitions. Raises ``Permanent``.
        """
        wanted = self._settings.partition_count()
        journal = self.journey.topic
        there = len(await self.intake.partitions_of(journal))
        if there != wanted:
            raise Permanent(f"{journal} has {there} partitions, but CXBUS_PARTITIONS is {wanted}; set it to {there}")
        self._partitions_verified.set()

    async def _update_lag(self) -> None:
        """Updates the lag metric, and raises ``Fatal`` when the group assigns nothing for too long."""
        began = self.app.pulse.seconds
        while True:
            if not self.journey.assignment_known and self.app.pulse.seconds - began > UNASSIGNED:
                raise Fatal(f"the consumer group has assigned no partitions within {UNASSIGNED:g} s")
            lags: dict[str, int] = {}
            for tp, progress in cast("BatchConsumer", self.app.consumer).progress().items():
                lags[tp.topic] = lags.get(tp.topic, 0) + progress.lag
            for topic, lag in lags.items():
                self.metrics.lag.labels(topic).set(lag)
            await asyncio.sleep(1)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Runs ``work`` in the background; whatever it raises ends the process."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 -- the shell's edge: the process ends with the reason
                self.app.fatal(fatal(name, error))

        task = asyncio.get_running_loop().create_task(guarded(), name=name)
        self._tasks = [task, *(one for one in self._tasks if not one.done())]

    # --- running ----------------------------------------------------------------------------------------------------

    def live(self) -> Health:
        """Liveness: whether the event loop still runs."""
        age = self.app.pulse.age()
        return Health(age < STUCK, f"last heartbeat {age:.1f} s ago")

    def ready(self) -> Health:
        """Readiness: whether the worker is a member of a stable group, and every partition assigned to it is restored.

        In a stable group each partition has an owner: a worker without partitions is a ready standby.
        """
        if self.app.leaving:
            return Health(False, "is stopping")
        if not self.directory.caught_up.is_set():
            return Health(False, "waiting for Kafka, or reading the directory of identities")
        outside = self.app.outside()
        if outside is not None:
            return Health(False, outside)
        for owner in (self.resolver, self.journey):
            closed = sorted(self.app.given(owner.topic) - owner.positions.keys())
            if closed or not owner.assignment_known:
                return Health(False, f"partitions of {owner.topic} are being restored: {closed}")
        return Health(True, f"{len(self.journey.positions)} journal partitions")

    def run(self, ending: Shutdown | None = None) -> int:
        """Works until asked to stop; returns the exit code (0: asked to stop; 1: failed; 2: failed for good)."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, 20, 50)
        pages = OpsPages(
            self.registry,
            self.live,
            self.ready,
            self._settings.ops_host,
            self._settings.ops_port,
            {"/blocked": lambda: self.directory.blocked.page()},
        )
        note = announce(self._settings.data_dir / "run", f"worker-{self._name}", os.getpid(), pages.url)
        try:
            return run_worker(self.app, ending=ending, preparing=lambda: not self.directory.caught_up.is_set())
        finally:
            pages.close()
            self.directory.close()
            note.unlink(missing_ok=True)
