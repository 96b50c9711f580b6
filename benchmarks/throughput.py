"""``make bench``: events per second through the whole bus, beside peers that do the same work on the same backlog.

One broker, one process for each contestant. Progress goes to standard error, the table to standard output and, with
every round, to ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from agents.identifiers import Identifiers

from .backlog import Backlog, fill
from .bus import KEY
from .machine import load, machine
from .race import Race
from .report import Report
from .scenario import Scenario
from .seed import identities, write
from .stage import PARTITIONS, Cluster, names, on_a_cluster, parser, prepared, say
from .topics import Topics
from .traffic import customer_no, paced, traffic


async def published(bootstrap: str, scenario: Scenario, partitions: int, rate: float) -> Backlog:
    """The scenario's backlog on the departments' topics, and its customers known to the bus."""
    say(f"{scenario.name}: publishing {scenario.events:,} events")
    topics = Topics(bootstrap, partitions)
    topics.input()
    topics.identities()
    began, now = time.monotonic(), time.time_ns() // 1000
    happened = traffic(scenario, now)
    stream = paced(happened, now, scenario.events, rate) if rate else happened
    backlog = await fill(bootstrap, stream, partitions, say)
    customers = ([customer_no(number)] for number in range(scenario.customers))
    say(f"{backlog.records:,} events after {time.monotonic() - began:.0f} s; making customers known")
    records = await write(bootstrap, identities(Identifiers(KEY.encode()), customers), say)
    say(f"{scenario.customers:,} customers are known by {records:,} records, {time.monotonic() - began:.0f} s in all")
    return backlog


def measure(options: argparse.Namespace, home: Path, place: Cluster) -> list[Report]:
    """One report for each scenario."""
    taking_part, versions, skipped = prepared(options.contestants, options.build, options.other)
    race = Race(place.bootstrap, PARTITIONS, home, place.broker, say)
    reports = []
    for name in options.scenarios:
        scenario, before = Scenario.named(name, options.events), load()
        backlog = asyncio.run(published(place.bootstrap, scenario, PARTITIONS, options.rate))
        rounds = list(race.rounds(taking_part, backlog, options.rounds, options.warm_ups))
        about = machine(versions, before, embedded=place.broker is not None)
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        reports.append(Report(today, scenario, PARTITIONS, options.rate, about, rounds, {**skipped, **race.failures}))
        print(reports[-1].text(), flush=True)
        say(f"written: {reports[-1].write(options.results).name}, .json")
    return reports


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The settings of a run."""
    told = parser("throughput", __doc__, ())
    add = told.add_argument
    add("--events", type=int, default=1_000_000, help="records of the backlog, about")
    add("--rate", type=float, default=4_000, help="events/s at which the backlog came, by its stamps; 0: in six days")
    add("--scenarios", type=names, default=("20k-uniform",), help="such as 20k-uniform,1M-tilted,20k-skewed")
    add("--other", type=Path, help="another checkout, whose bus takes part as 'other'")
    return told.parse_args(arguments)


def main() -> None:
    """Runs it."""
    options = parsed(sys.argv[1:])
    on_a_cluster(partial(measure, options))


if __name__ == "__main__":
    main()
