"""The race: every contestant works off the same backlog, one after the other, round after round."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from .backlog import Backlog
from .contestant import Contestant, Failed, Place, Running
from .outcome import Timeline, read_alerts, read_timeline
from .topics import Topics
from .usage import Usage
from .watch import watch

T = TypeVar("T")

READ_ALL = 600.0
"""Seconds within which one that writes nothing must have read everything."""


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement. CPU is that of the contestant's processes, and of the broker's while it worked (``None``: not on
    this machine), both without ``compiling_seconds``: those of their JVMs' compilers. ``timeline`` and ``alerts`` by
    rule: none of the limit.
    """

    contestant: str
    number: int
    events: int
    seconds: float
    cpu_seconds: float
    broker_cpu_seconds: float | None
    mebibytes: float
    timeline: Timeline | None = None
    alerts: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, float] = field(default_factory=dict)
    compiling_seconds: float = 0.0

    @property
    def events_per_second(self) -> float:
        """All records of the backlog count, copies too: each has to be looked at."""
        return self.events / self.seconds


class Race:
    """Runs rounds on one cluster. ``broker``: the broker's process, if it is on this machine."""

    def __init__(
        self, bootstrap: str, partitions: int, home: Path, broker: int | None, say: Callable[[str], None] = print
    ) -> None:
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._home = home
        self._broker = broker
        self._say = say
        self._topics = Topics(bootstrap, partitions)
        self.failures: dict[str, str] = {}
        """Why a contestant was left out from some round on."""

    def rounds(
        self, contestants: Sequence[Contestant], backlog: Backlog, rounds: int, warm_ups: int = 0
    ) -> Iterator[Round]:
        """Alternating, so that whatever else happens on the machine hits all alike. One that fails is told and left
        out from then on. ``warm_ups``: rounds before, which are not counted.
        """
        self.failures.clear()
        left = list(contestants)
        for number in range(1 - warm_ups, rounds + 1):
            for contestant in in_turn(left, number):
                try:
                    made = self.round(contestant, backlog, number)
                    if number > 0:
                        yield made
                except Failed as failure:
                    self._say(f"{contestant.name}, round {number}: {failure}")
                    self.failures[contestant.name] = f"round {number}: {str(failure).splitlines()[0]}"
                    left.remove(contestant)

    def round(self, contestant: Contestant, backlog: Backlog, number: int) -> Round:
        """One contestant, once. Raises ``Failed``, also when its timeline is not what it should be."""
        prefix = f"bench-{contestant.name.replace('_', '-')}-{number}-{time.time_ns() // 1_000_000 % 10**9}"
        place = Place(self._bootstrap, prefix, self._partitions, self._home / prefix)
        place.home.mkdir(parents=True)
        try:
            made = self._measured(contestant, place, backlog, number)
        finally:
            self._topics.remove(self._topics.of_round(prefix))
            shutil.rmtree(place.home, ignore_errors=True)
        self._say(
            f"{made.contestant}, round {number}: {made.events_per_second:,.0f} events/s, "
            f"{made.cpu_seconds * 1e6 / made.events:.0f} s of CPU per million, {made.mebibytes:.0f} MiB"
            + (f", {sum(made.alerts.values()):,} alerts" if made.timeline else "")
        )
        return made

    def _measured(self, contestant: Contestant, place: Place, backlog: Backlog, number: int) -> Round:
        def say(words: str) -> None:
            self._say(f"{contestant.name}, round {number}: {words}")

        with ExitStack() as stack:
            running = stack.enter_context(contestant.at_work(place))
            own = stack.enter_context(Usage(*running.pids))
            brokers = None if self._broker is None else stack.enter_context(Usage(self._broker))
            outlets = running.outlets
            if outlets is None:
                begin, end = _read(running, backlog.records)
            else:
                begin = watch(self._bootstrap, outlets, len(backlog.events), running.check, say)
            details = running.details()
        timeline, alerts = None, {}
        if outlets is not None:
            timeline = asyncio.run(read_timeline(self._bootstrap, outlets.timeline, backlog.events))
            if not timeline.exact:
                raise Failed(
                    f"the timeline misses {timeline.missing:,} events and has {timeline.strange:,} strange ones"
                )
            alerts = dict(asyncio.run(read_alerts(self._bootstrap, outlets.alerts)))
            end = timeline.last
        spent = own.spent(begin, end)
        broker = None if brokers is None else brokers.spent(begin, end)
        return Round(
            contestant=contestant.name,
            number=number,
            events=backlog.records,
            seconds=end - begin,
            cpu_seconds=spent.cpu_seconds,
            broker_cpu_seconds=None if broker is None else broker.cpu_seconds,
            mebibytes=spent.mebibytes,
            timeline=timeline,
            alerts=alerts,
            details=details,
            compiling_seconds=spent.compiling_seconds + (0.0 if broker is None else broker.compiling_seconds),
        )


def in_turn(contestants: Sequence[T], number: int) -> list[T]:
    """Their order in that round: every second one goes the other way."""
    return list(contestants)[:: 1 if number % 2 else -1]


def _read(running: Running, records: int) -> tuple[float, float]:
    """From when to when one that writes nothing read (Unix seconds). Raises ``Failed``."""
    until = time.monotonic() + READ_ALL
    while (found := running.reading()) is None:
        if time.monotonic() > until:
            raise Failed(f"did not come to an end within {READ_ALL:.0f} s")
        time.sleep(0.1)
    if found.records != records:
        raise Failed(f"has read {found.records:,} of {records:,} records")
    return found.begin, found.end
