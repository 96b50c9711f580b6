"""One run: load, faults, quiet, verification; and what was seen, in words."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agents.app import rules
from agents.identifiers import Identifiers
from runtime.settings import Settings
from schemas.registry import Registry

from .aftermath import one_more
from .bus import KEY, LOOK_SECONDS, NAMES, Bus
from .checker import Problem
from .durability import durable, judged
from .faults import schedule
from .fleet import resident
from .load import Load
from .log import Reader
from .pauses import pauses, spread, streams
from .publication import Publication
from .publisher import Publisher
from .verification import Verifier

DRAIN_SECONDS = 180.0
BUSY_SECONDS = 5.0
"""Of load, half of it or more, in which every worker must have finished something."""
WAVE_SECONDS = 25.0
SLOW_SECONDS = 30.0
"""Longer pauses are told one by one."""
HURRY = 2.0
"""So much faster the last wave ends."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of. ``rate``: events/s. ``events``: published at least. ``longest``: s between two faults."""

    seed: int
    counts: Mapping[str, int]
    rate: float
    events: int = 0
    longest: float = 6.0
    workers: int = 2
    partitions: int = 4
    patience: float = 600.0
    """Seconds until load and faults must be over."""


@dataclass
class Outcome:
    """What a run showed. ``pauses``: seconds by what was done; ``memory``: MiB at most; ``idle``: who did nothing.

    ``refused``: how often the publisher was told of an error or had to wait.
    """

    told: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    pauses: dict[str, list[float]] = field(default_factory=dict)
    memory: int = 0
    idle: list[str] = field(default_factory=list)
    refused: int = 0


class Run:
    """One bus, one plan."""

    def __init__(self, bus: Bus, plan: Plan) -> None:
        self._bus = bus
        self._plan = plan
        self._publication = Publication()
        self._publisher = Publisher(bus.bootstrap, self._publication, plan.rate)
        self._load = Load(plan.seed, round(plan.rate * WAVE_SECONDS))
        self._reader = Reader(bus.bootstrap, bus.sizes)
        registry = Registry.discover()
        self._judge = Verifier(rules(Settings(), registry), Identifiers(KEY.encode()), bus.departments, bus.partitions)
        self._over = False
        self._stops: list[tuple[int, float]] = []
        self.outcome = Outcome()

    async def run(self) -> Outcome:
        """Everything. Raises ``TimeoutError`` when the bus does not come to rest."""
        bus = self._bus
        began = time.monotonic()
        async with bus.progress:
            async with asyncio.timeout(self._plan.patience):
                await self._suffer()
            await bus.progress.drained(DRAIN_SECONDS, bus.memory, bus.fleet.supervise)
            seconds = time.monotonic() - began
            exits = list(bus.fleet.exits)
            self._stops = bus.fleet.stop()
            problems = await self._judged()
            self.outcome.told = list(self._told(seconds, time.monotonic() - began - seconds))
            if not problems:
                problems = await self._restored()
        self.outcome.told += [
            f"  ended by themselves: {dict(Counter(f'{one.name} {one.code} {one.why[:90]}' for one in exits))}",
            f"  problems: {dict(Counter(problem.kind for problem in problems))}",
            *(f"    {problem.kind}: {problem.what[:400]}" for problem in problems[:20]),
        ]
        self.outcome.problems = problems
        return self.outcome

    async def _suffer(self) -> None:
        bus, plan = self._bus, self._plan
        for name in NAMES[: plan.workers]:
            bus.fleet.start(name)
        watching = asyncio.create_task(bus.progress.watch(bus.memory, LOOK_SECONDS))
        publishing = asyncio.create_task(self._publish())
        try:
            await bus.work(1)
            await bus.settled()
            await bus.suffer(schedule(plan.counts, plan.seed, plan.longest))
            await bus.settled()
            before, published = bus.fleet.handled(), len(self._publication)
            enough = published + BUSY_SECONDS * plan.rate / 2  # between two waves there may be none
            while len(self._publication) < enough:
                await bus.work(BUSY_SECONDS)
            after = bus.fleet.handled()
            self.outcome.idle = [name for name in bus.fleet.names if before.get(name, 0) == after.get(name, 0)]
            self._over = True
            while not publishing.done():
                if self._enough():
                    self._publisher.rate = HURRY * plan.rate
                await bus.work(0.5)
            await publishing
        finally:
            publishing.cancel()
            watching.cancel()
            await asyncio.gather(publishing, watching, return_exceptions=True)

    async def _publish(self) -> None:
        """Wave after wave until the faults are over, and there were events enough."""
        while not self._enough():
            wave = await asyncio.to_thread(self._load.wave, now())
            self._judge.expect(wave)
            await self._publisher.publish(wave)

    def _enough(self) -> bool:
        return self._over and len(self._publication) >= self._plan.events

    async def _judged(self) -> list[Problem]:
        """Reads what is new, folds it, and holds everything against everything."""
        log = await self._reader.read()
        self._judge.fold(log)
        log.forget()
        problems = list(self._judge.judge(log, self._publication))
        return problems + list(durable(log, self._bus.progress.samples, self._bus.events))

    async def _restored(self) -> list[Problem]:
        """What a worker without local state makes of one more event per partition is what the others would have."""
        bus = self._bus
        bus.fleet = bus.new_fleet("last")
        bus.fleet.start("z")
        chance = random.Random(self._plan.seed)
        await self._publisher.publish(one_more(self._judge.reference, bus.partitions, chance, now()))
        await bus.progress.drained(DRAIN_SECONDS, bus.memory, bus.fleet.supervise)
        bus.fleet.stop()
        return await self._judged()

    def _told(self, seconds: float, judging: float) -> Iterator[str]:
        bus, plan, told = self._bus, self._plan, self._publisher.told
        samples = bus.progress.samples
        events = len(self._publication)
        self.outcome.refused = told.errors + told.waits
        yield f"chaos: seed {plan.seed}, {dict(plan.counts)}"
        yield (
            f"  {events} events in {seconds:.0f} s ({events / seconds:.0f}/s), judged in {judging:.0f} s "
            f"({judging / events * 1000:.2f} ms each), the judge's memory {resident(0)} MiB"
        )
        yield f"  {self._judge.figures(self._reader.log)}"
        yield (
            f"  publisher: {told.errors} errors, {told.waits} waits, the longest {told.longest:.1f} s; "
            f"{told.again} records sent again, {self._publication.doubts} tries in doubt"
        )
        found = streams(self._reader.log, bus.events)
        for what, seen in sorted(pauses(bus.marks, found).items()):
            self.outcome.pauses[what] = [one.seconds for one in seen]
            yield f"  pause after {what}: {spread([one.seconds for one in seen])}"
            for one in seen:
                if one.seconds > SLOW_SECONDS:
                    after, (topic, partition) = (one.at - bus.marks[0].at) / 1000, one.place
                    yield f"    {one.seconds:.1f} s of {topic}/{partition}, after {what} at {after:.0f} s"
        memory = [size for sample in samples for size in sample.memory.values()]
        self.outcome.memory = max(memory)
        yield f"  memory of a worker: {spread(memory, 'MiB')}"
        yield f"  lag: {spread([sample.lag for sample in samples], 'records')}; {bus.progress.failures} looks failed"
        yield (
            f"  {judged(self._reader.log, samples)} inputs judged by {len(samples)} samples of the commits; "
            f"{bus.unsettled} faults came before the bus had settled; idle at the end: {self.outcome.idle}"
        )
        yield f"  stopped with {[(code, round(spent, 1)) for code, spent in self._stops]}"


def now() -> int:
    """µs since 1970."""
    return time.time_ns() // 1000
