"""``make bench-scale``: the whole bus with several workers and partitions, and what the sink adds.

Everybody works off the same backlog, one after the other, round after round. Then the bus with and without a sink
beside it; then a sink alone copies what the last round left on the topics.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from .bus import LIBRARIES, Bus
from .contestant import Failed, Place
from .copying import Copied, copy
from .machine import load, machine
from .race import Race, Round
from .report import leave
from .scenario import Scenario
from .stage import Cluster, numbers, on_a_cluster, plain_parser, say
from .table import Row, markdown, rows
from .throughput import published

ALONE, BESIDE = "without-sink", "with-sink"
HEADINGS = ("events/s", "spread", "× the first", "CPU s per million", "broker CPU s per million", "MiB")


@dataclass(frozen=True, slots=True)
class Findings:
    """Rounds of the workers, by the number of partitions; of the bus with and without sink; of the sink alone."""

    workers: Mapping[int, Sequence[Round]]
    beside: Sequence[Round]
    copies: Sequence[Copied]
    failures: Sequence[str]

    def document(self) -> dict[str, Any]:
        """For machines."""
        return {
            "workers": [
                {"partitions": partitions, **asdict(one), "events_per_second": one.events_per_second}
                for partitions, some in self.workers.items()
                for one in some
            ],
            "beside": [{**asdict(one), "events_per_second": one.events_per_second} for one in self.beside],
            "copies": [{**asdict(one), "records_per_second": one.records_per_second} for one in self.copies],
            "failures": list(self.failures),
        }

    def paragraphs(self) -> Iterator[str]:
        """For people."""
        if any(self.workers.values()):
            by_size: list[tuple[Row, Sequence[str]]] = [
                (row, (row.contestant.removeprefix("workers-"), str(partitions)))
                for partitions, some in self.workers.items()
                for row in in_order(some)
            ]
            yield markdown(("workers", "partitions", *HEADINGS), lines(by_size))
        if self.beside:
            both: list[tuple[Row, Sequence[str]]] = [
                (row, (row.contestant.replace("-", " "),)) for row in in_order(self.beside)
            ]
            yield markdown(("one worker", *HEADINGS), lines(both))
            yield f"CPU and memory are the worker's; the sink beside it {sinks(self.beside)}."
        if self.copies:
            yield (
                f"A sink alone, into an empty SQLite database: "
                f"{median(one.records_per_second for one in self.copies):,.0f} records/s "
                f"({self.copies[0].records:,} records), "
                f"{median(one.cpu_seconds * 1e6 / one.records for one in self.copies):.0f} s of CPU per million, "
                f"{max(one.mebibytes for one in self.copies):.0f} MiB, a database of {self.copies[0].database:.0f} MiB."
            )
        yield from self.failures


def in_order(rounds: Sequence[Round]) -> list[Row]:
    """The medians of each contestant, in the order in which they began."""
    names = list(dict.fromkeys(one.contestant for one in rounds))
    return sorted(rows(rounds), key=lambda row: names.index(row.contestant))


def lines(found: Sequence[tuple[Row, Sequence[str]]]) -> list[Sequence[str]]:
    """Cells of the table, after those given. Ratios are to the first line."""
    return [
        (
            *begin,
            f"{row.events_per_second:,.0f}",
            f"{row.spread:.0%}",
            f"{row.events_per_second / found[0][0].events_per_second:.2f}",
            f"{row.cpu_seconds_per_million:.0f}",
            "" if row.broker_cpu_seconds_per_million is None else f"{row.broker_cpu_seconds_per_million:.0f}",
            f"{row.mebibytes:,.0f}",
        )
        for row, begin in found
    ]


def sinks(rounds: Sequence[Round]) -> str:
    """What the sink did in the rounds in which there was one."""
    details = [one.details for one in rounds if "sink_records" in one.details]
    if not details:
        return "did not take part"
    records, behind, seconds = (
        median(one[name] for one in details) for name in ("sink_records", "sink_behind", "sink_cpu_seconds")
    )
    return (
        f"had copied {records:,.0f} records at the end, {behind:,.0f} were left, and had used {seconds:.0f} s of CPU "
        "with its start"
    )


def found(options: argparse.Namespace, place: Cluster, home: Path) -> Findings:
    """All rounds of all parts."""
    scenario = Scenario.named(options.scenario, options.events)
    by_partitions: dict[int, Sequence[Round]] = {}
    failures: list[str] = []
    beside: list[Round] = []
    copies: list[Copied] = []
    for index, partitions in enumerate(options.partitions):
        backlog = asyncio.run(published(place.bootstrap, scenario, partitions, options.rate))
        race = Race(place.bootstrap, partitions, home, place.broker, say)
        some = [Bus(name=f"workers-{count}", workers=count) for count in options.workers]
        by_partitions[partitions] = list(race.rounds(some, backlog, options.rounds))
        failures += [f"{partitions} partitions, {name}: {why}" for name, why in race.failures.items()]
        if index:
            continue
        both = [Bus(name=ALONE), Bus(name=BESIDE, sink=True)]
        beside += race.rounds(both, backlog, options.rounds)
        failures += [f"{name}: {why}" for name, why in race.failures.items()]
        for number in range(1, options.rounds + 1):
            try:
                copies.append(copy(sinks_place(place, partitions, home, number), number, say))
            except Failed as failure:
                say(f"sink, round {number}: {failure}")
                failures.append(f"sink, round {number}: {str(failure).splitlines()[0]}")
    return Findings(by_partitions, beside, copies, failures)


def sinks_place(place: Cluster, partitions: int, home: Path, number: int) -> Place:
    """A group and a directory that nobody has used."""
    prefix = f"bench-copy-{number}-{time.time_ns() // 1_000_000 % 10**9}"
    return Place(place.bootstrap, prefix, partitions, home / prefix)


def measure(options: argparse.Namespace, home: Path, place: Cluster) -> str:
    """Runs everything and writes it; the text."""
    before = load()
    findings = found(options, place, home)
    about = machine({name: version(name) for name in LIBRARIES}, before, embedded=place.broker is not None)
    settings = {
        name: getattr(options, name) for name in ("events", "scenario", "rate", "workers", "partitions", "rounds")
    }
    text, written = leave(
        options.results,
        f"scale-{options.scenario}",
        about,
        [
            f"Scale: {options.events:,} events, {options.scenario}",
            f"Worker processes and broker share the machine; the whole bus, exactly once, medians of {options.rounds} "
            "rounds.",
            *findings.paragraphs(),
        ],
        {"settings": settings, **findings.document()},
    )
    say(f"written: {written.name}, .json")
    return text


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The settings of a run."""
    told = plain_parser("scale", __doc__, rounds=3)
    add = told.add_argument
    add("--events", type=int, default=500_000, help="records of the backlog, about")
    add("--scenario", default="20k-uniform", help="customers and their spread")
    add("--rate", type=float, default=4_000, help="events/s at which the backlog came, by its stamps; 0: in six days")
    add("--workers", type=numbers, default=(1, 2, 3), help="numbers of worker processes")
    add("--partitions", type=numbers, default=(4, 12), help="of the customers' topics; the sink is tried on the first")
    return told.parse_args(arguments)


def main() -> None:
    """Runs it."""
    options = parsed(sys.argv[1:])
    print(on_a_cluster(partial(measure, options)))


if __name__ == "__main__":
    main()
