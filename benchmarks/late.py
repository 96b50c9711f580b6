"""``python -m benchmarks.late``: what an event costs that comes five minutes late, beside the same customer's in order.

In process, by the journey alone. A unit of work has one event of each customer, first in order, then of five minutes
before. Warm: the customers were just dealt with. Cold: the journey was opened anew, on what it had stored.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Self

from agents.identifiers import Identifiers
from agents.pipeline import Pipeline
from core.timeline.entry import DAY, HOUR, uid_bytes
from engine.kafka.record import Record
from schemas.journal import event_headers
from schemas.topics import JOURNAL

from .bus import KEY
from .inprocess import NOW, config, units
from .seed import customer_id
from .stage import numbers, say
from .table import markdown
from .traffic import DEPARTMENTS, VISIT, Published, Regular, customer_no

LATE = HOUR // 12
UNIT = 500
ENTRIES = 60_000
"""Of all customers together, about."""

MOST, LEAST = 40, 10
"""Customers."""

HEADINGS = (
    "entries of each",
    "in days",
    "in order",
    "late",
    "× in order",
    "cold: in order",
    "cold: late",
    "× warm in order",
)


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU µs of an event by unit of work; an event that is late follows the one in order at the same place."""

    in_order: Sequence[float]
    late: Sequence[float]
    cold_in_order: Sequence[float]
    cold_late: Sequence[float]


class Lived:
    """A customer who goes on publishing: one department after the other."""

    def __init__(self, number: int, entries: int, days: float) -> None:
        chance = random.Random(number)
        first = NOW - int(days * DAY)
        self.id = customer_id(Identifiers(KEY.encode()), [customer_no(number)], number)
        self._person = Regular(number, chance, first)
        self._made = 0
        self._moments = sorted(first + int(chance.random() * days * DAY) for _ in range(entries))

    def past(self) -> Iterator[Published]:
        """All until now, oldest first."""
        return map(self.publish, self._moments)

    def publish(self, at: int) -> Published:
        """What happens then (µs)."""
        self._made += 1
        return self._person.publish(DEPARTMENTS[self._made // VISIT % len(DEPARTMENTS)], at)


class Stage:
    """A pipeline of which the journey works, and its customers; ``clock``: until when records were appended (µs)."""

    def __init__(self, home: Path, customers: Sequence[Lived]) -> None:
        self.customers = customers
        self._pipeline = Pipeline(replace(config(), identifiers=Identifiers(KEY.encode())), home)
        self._offset = 0
        self._at = NOW

    def __enter__(self) -> Self:
        past = sorted((one.at, who.id, one) for who in self.customers for one in who.past())
        for some in units([self._record(who, one, at) for at, who, one in past], UNIT):
            self._decide(some)
        gc.collect()
        gc.freeze()
        return self

    def __exit__(self, *raised: object) -> None:
        self._pipeline.close()
        gc.unfreeze()

    def reopen(self) -> None:
        """Everything decoded is forgotten. What a journey spends only once it spends on the first customer."""
        self._pipeline.restart("journey", keep_store=True)
        for at in (self._next(), self._at - LATE):
            self._decide([self._record(self.customers[0].id, self.customers[0].publish(at), self._at)])

    def in_order(self, customers: Sequence[Lived]) -> float:
        """CPU µs of an event of each, an hour after the last one."""
        return self._cost(customers, self._next())

    def late(self, customers: Sequence[Lived]) -> float:
        """The same of one that happened five minutes before the last one."""
        return self._cost(customers, self._at - LATE)

    def _cost(self, customers: Sequence[Lived], at: int) -> float:
        records = [self._record(who.id, who.publish(at), self._at) for who in customers]
        return self._decide(records) * 1e6 / len(records)

    def _next(self) -> int:
        self._at += HOUR
        return self._at

    def _decide(self, records: Sequence[Record]) -> float:
        journey = self._pipeline.journey()
        began = time.process_time()
        self._pipeline.unit(journey, records)
        return time.process_time() - began

    def _record(self, customer: str, event: Published, appended: int) -> Record:
        """As intake journals it. ``appended`` in µs."""
        self._offset += 1
        headers = event_headers(f"{event.topic}/0/{self._offset}", appended, event.at, uid_bytes(*event.event))
        return Record(JOURNAL, 0, self._offset, appended // 1000, customer.encode(), event.value, headers)


def measured(entries: int, days: float, rounds: int, home: Path) -> Costs:
    """Of customers with so many entries in the last ``days``. A first round is not counted."""
    count = max(LEAST, min(MOST, ENTRIES // entries))
    with Stage(home, [Lived(number, entries, days) for number in range(count)]) as stage:
        warm = [(stage.in_order(stage.customers), stage.late(stage.customers)) for _ in range(rounds + 1)]
        _, *counted = warm
        cold = []
        for _ in range(max(2, rounds // 2)):
            stage.reopen()
            first = stage.in_order(stage.customers[1:])
            stage.reopen()
            cold.append((first, stage.late(stage.customers[1:])))
    return Costs(*zip(*counted, strict=True), *zip(*cold, strict=True))


def line(entries: int, days: float, costs: Costs) -> Sequence[str]:
    """Medians of the units, and of their ratios."""
    ratios = [late / before for before, late in zip(costs.in_order, costs.late, strict=True)]
    usual = median(costs.in_order)
    return (
        f"{entries:,}",
        f"{days:,g}",
        f"{usual:,.0f}",
        f"{median(costs.late):,.0f}",
        f"{median(ratios):.1f}",
        f"{median(costs.cold_in_order):,.0f}",
        f"{median(costs.cold_late):,.0f}",
        f"{median(costs.cold_late) / usual:.1f}",
    )


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The settings of a run."""
    told = argparse.ArgumentParser(prog="python -m benchmarks.late", description=__doc__)
    add = told.add_argument
    add("--recent", type=numbers, default=(5, 50), help="entries of customers who are new")
    add("--recent-days", type=float, default=7.0, help="in which they have them")
    add("--entries", type=numbers, default=(50, 1_000, 10_000), help="of customers who have been there for long")
    add("--days", type=float, default=3_650.0, help="for how long")
    add("--rounds", type=int, default=10, help="events in order of each, and late ones")
    return told.parse_args(arguments)


def main() -> None:
    """Prints the figures."""
    options = parsed(sys.argv[1:])
    cases = [(count, options.recent_days) for count in options.recent]
    cases += [(count, options.days) for count in options.entries]
    gc.set_threshold(500_000, 20, 50)  # as the worker does
    lines = []
    for entries, days in cases:
        with tempfile.TemporaryDirectory() as home:
            lines.append(line(entries, days, measured(entries, days, options.rounds, Path(home))))
        say(" ".join(lines[-1]))
    print(f"CPU µs an event, medians of {options.rounds} units of work\n\n{markdown(HEADINGS, lines)}")


if __name__ == "__main__":
    main()
