"""``make bench-restore``: how fast an empty worker reads its state back from the topics, beside plain Faust's Tables.

The topics are filled beforehand with customers who have a past. Faust's Tables hold the same records of fewer
customers. One process at a time, alternating.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

from .bus import LIBRARIES
from .contestant import Failed, Place
from .machine import load, machine
from .preload import PATIENCE, Population, fill, make_known, preload
from .recovery import Recovered, as_changelogs, changelogs, emptied, of_bus, of_faust
from .report import leave
from .stage import PARTITIONS, Cluster, names, on_a_cluster, plain_parser, say
from .table import markdown
from .usage import calm

COLD, WARM, WHOLE = "cxbus", "cxbus, warm cache", "cxbus, identities too"
FAUST = "faust_memory"
TABLES = "bench-tables"
HEADINGS = (
    "contestant",
    "customers",
    "entries",
    "records read",
    "seconds",
    "records/s",
    "× Faust, memory",
    "process ready after s",
    "CPU s",
    "MiB",
)


def rounds(options: argparse.Namespace, place: Cluster, home: Path) -> Iterator[Recovered]:
    """Cold, warm, then each of Faust's stores; round after round; at the end once with identities, too.

    Who fails is told and left out from then on.
    """

    def attempts(number: int) -> Iterator[Recovered]:
        for name, recover in list(left.items()):
            try:
                yield told(recover(number))
            except Failed as failure:
                say(f"{name}, round {number}: {failure}")
                del left[name]

    whole = Population(options.customers, options.entries // options.customers)
    part = Population(max(1, whole.customers // options.tenth), whole.entries)
    bus = Place(place.bootstrap, "bench-restore", PARTITIONS, home / "worker")
    tables = Place(place.bootstrap, TABLES, PARTITIONS, home / "tables")
    now = time.time_ns() // 1000
    preload(place.bootstrap, whole, PARTITIONS, now, say)
    logs = changelogs(place.bootstrap, TABLES, PARTITIONS)
    fill(
        place.bootstrap, as_changelogs(part.past(PARTITIONS, now), logs), f"Faust's changelogs, 1/{options.tenth}", say
    )
    rest(place)
    left: dict[str, Callable[[int], Recovered]] = {
        COLD: lambda number: of_bus(_empty(bus), whole, COLD, number),
        WARM: lambda number: of_bus(bus, whole, WARM, number),
        **{f"faust_{store}": _faust(tables, part, store) for store in options.stores},
    }
    for number in range(1, options.rounds + 1):
        yield from attempts(number)
    make_known(place.bootstrap, whole, say)
    rest(place)
    left = {WHOLE: lambda number: of_bus(_empty(bus), whole, WHOLE, number)}
    yield from attempts(1)


def told(one: Recovered) -> Recovered:
    """The same, after it was said."""
    say(
        f"{one.contestant}, round {one.number}: {one.records:,} records in {one.seconds:.1f} s, "
        f"{one.records_per_second:,.0f} a second; ready {one.ready:.1f} s after its start; {one.mebibytes:.0f} MiB"
    )
    return one


def rest(place: Cluster) -> None:
    """Lets the broker finish what it still does with what was written."""
    if place.broker is not None and not calm(place.broker, PATIENCE):
        say(f"the broker is still busy after {PATIENCE:.0f} s")


def table(found: Sequence[Recovered]) -> str:
    """Medians of the rounds."""
    by_name = {one.contestant: [other for other in found if other.contestant == one.contestant] for one in found}
    rates = {
        name: median(one.records_per_second for one in some)
        for name, some in by_name.items()
        if name not in (WARM, WHOLE)
    }
    lines = [
        (
            name,
            f"{some[0].population.customers:,}",
            f"{some[0].population.customers * some[0].population.entries:,}",
            f"{median(one.records for one in some):,.0f}",
            f"{median(one.seconds for one in some):.1f}",
            f"{rates[name]:,.0f}" if name in rates else "",
            f"{rates[name] / rates[FAUST]:.1f}" if {name, FAUST} <= rates.keys() else "",
            f"{median(one.ready for one in some):.1f}",
            f"{median(one.cpu_seconds for one in some):.0f}",
            f"{median(one.mebibytes for one in some):,.0f}",
        )
        for name, some in by_name.items()
    ]
    return markdown(HEADINGS, lines)


def measure(options: argparse.Namespace, home: Path, place: Cluster) -> str:
    """Runs everything and writes it; the text."""
    before = load()
    found = list(rounds(options, place, home))
    about = machine({name: version(name) for name in LIBRARIES}, before, embedded=place.broker is not None)
    text, written = leave(
        options.results,
        f"restore-{options.customers}",
        about,
        [
            f"Restore: {options.customers:,} customers, {options.entries:,} entries, into an empty worker",
            f"{PARTITIONS} partitions, medians of {options.rounds} rounds; Faust has 1/{options.tenth} of the "
            "customers.",
            table(found),
            "Seconds are those of reading the topics, of all partitions together; a warm cache is that of a worker "
            "that was just stopped. With identities the resolver and the directory read those at the same time; the "
            "records are then those of journey and resolver.",
        ],
        {
            "settings": {"customers": options.customers, "entries": options.entries, "partitions": PARTITIONS},
            "rounds": [{**asdict(one), "records_per_second": one.records_per_second} for one in found],
        },
    )
    say(f"written: {written.name}, .json")
    return text


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The settings of a run."""
    told = plain_parser("restore", __doc__, rounds=1)
    add = told.add_argument
    add("--customers", type=int, default=1_000_000, help="profiles on the topics")
    add("--entries", type=int, default=5_000_000, help="timeline entries, the same number of each customer")
    add("--tenth", type=int, default=10, help="Faust's Tables hold one customer of so many")
    add("--stores", type=names, default=("memory", "rocksdb"), help="of Faust's Tables")
    return told.parse_args(arguments)


def _empty(place: Place) -> Place:
    emptied(place.home)
    return place


def _faust(place: Place, population: Population, store: str) -> Callable[[int], Recovered]:
    return lambda number: of_faust(_empty(place), population, store, number)


def main() -> None:
    """Runs it."""
    options = parsed(sys.argv[1:])
    print(on_a_cluster(partial(measure, options)))


if __name__ == "__main__":
    main()
