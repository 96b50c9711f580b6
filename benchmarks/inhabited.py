"""A bus that has customers already: a broker and a worker of its own, restored, which can be given work repeatedly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from core.timeline.entry import DAY
from deploy.broker import EmbeddedBroker
from schemas.topics import TIMELINE

from .backlog import fill
from .bus import environment
from .contestant import Failed, Place
from .preload import PATIENCE, Population, make_known, preload
from .stage import PARTITIONS, say
from .traffic import paced, scattered
from .usage import Usage, calm, child_of
from .watch import filled, length
from .worker import Figures, Worker, WorkerEnded

RESTORE = 1_800.0
"""Seconds for a worker to be ready."""

ENTRIES = "cxbus_entries_total"

COUNTS: Mapping[str, Callable[[Figures], float]] = {
    "alerts": lambda figures: figures.sum("cxbus_alerts_total"),
    "units": lambda figures: figures.sum("cxbus_batch_records_count", stage="journey"),
    "records_out": lambda figures: figures.sum("cxbus_records_out_total", stage="journey"),
    "intake_decide_seconds": lambda figures: figures.sum("cxbus_decide_seconds_sum", stage="intake"),
    "journey_decide_seconds": lambda figures: figures.sum("cxbus_decide_seconds_sum", stage="journey"),
}
"""Of the worker, for whoever wants to know why one round cost more than another."""

RATE = 4_000
"""Events/s at which a backlog came, by its stamps."""

TURN = 2 * DAY
"""Within which a backlog's events happened (µs): within seconds, all of a customer's would be recent at every event."""


@dataclass(frozen=True, slots=True)
class Worked:
    """One backlog, worked off. CPU until the last entry could be read; ``mebibytes``: the most in that time.

    ``late``: entries that came after a younger one of the same customer. ``details``: what else the worker counted.
    """

    case: str
    number: int
    events: int
    late: int
    seconds: float
    cpu_seconds: float
    broker_cpu_seconds: float
    mebibytes: float
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def cpu_microseconds(self) -> float:
        """Of the worker, for one event."""
        return self.cpu_seconds * 1e6 / self.events


class Inhabited:
    """Filled, restored and ready within the ``with`` block. ``resident``: MiB of the worker then.

    ``now``: until when the customers' past goes (µs); ``turn``: within which a backlog's events happen (µs).
    Raises ``Failed`` and ``KafkaError``.
    """

    def __init__(self, name: str, population: Population, home: Path, now: int, turn: int = TURN) -> None:
        self.name = name
        self.population = population
        self.resident = 0.0
        self._home = home
        self._now = now
        self._turn = turn
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack as stack:
            broker = stack.enter_context(EmbeddedBroker(self._home))
            self._bootstrap, self._broker = broker.bootstrap, child_of(broker.group)
            preload(broker.bootstrap, self.population, PARTITIONS, self._now, self._say)
            make_known(broker.bootstrap, self.population, self._say)
            calm(self._broker, PATIENCE)
            place = Place(broker.bootstrap, "bench-growth", PARTITIONS, self._home / "worker")
            self._worker = stack.enter_context(Worker(place.home, environment(place)))
            usage = stack.enter_context(Usage(self._worker.pid))
            began = time.time()
            try:
                ready = self._worker.until_ready(RESTORE)
            except WorkerEnded as error:
                raise Failed(f"{self.name}: {error}") from None
            calm(self._broker, PATIENCE)
            self.resident = usage.samples[-1].resident / 2**20
            self._say(f"restored in {ready - began:.0f} s, {self.resident:.0f} MiB")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()

    def work(self, events: int, number: int) -> Worked:
        """Gives it a backlog of random customers, of the days after the last one. Raises ``Failed``."""
        first, self._now = self._now, self._now + self._turn
        happened = scattered(self.population.customers, events, first, self._now, number + 1)
        backlog = list(paced(happened, time.time_ns() // 1000, events, RATE))
        before, start = self._worker.figures(), length(self._bootstrap, TIMELINE)
        with Usage(self._worker.pid) as own, Usage(self._broker) as brokers:
            began = time.time()
            asyncio.run(fill(self._bootstrap, backlog, PARTITIONS, self._say))
            ended = filled(self._bootstrap, TIMELINE, start + events, self._check, self._say)
        after = self._worker.figures()
        if (found := round(after.sum(ENTRIES) - before.sum(ENTRIES))) != events:
            raise Failed(f"{self.name}: {found:,} entries of {events:,} events")
        spent = own.spent(began, ended)
        made = Worked(
            case=self.name,
            number=number,
            events=events,
            late=round(after.sum(ENTRIES, arrival="late") - before.sum(ENTRIES, arrival="late")),
            seconds=ended - began,
            cpu_seconds=spent.cpu_seconds,
            broker_cpu_seconds=brokers.spent(began, ended).cpu_seconds,
            mebibytes=spent.mebibytes,
            details={name: round(count(after) - count(before), 2) for name, count in COUNTS.items()},
        )
        self._say(f"round {number}: {made.cpu_microseconds:.0f} µs of CPU an event, {made.mebibytes:.0f} MiB")
        return made

    def _check(self) -> None:
        try:
            self._worker.check()
        except WorkerEnded as error:
            raise Failed(f"{self.name}: {error}") from None

    def _say(self, words: str) -> None:
        say(f"{self.name}: {words}")
