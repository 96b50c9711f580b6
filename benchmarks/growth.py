"""``make bench-growth``: what an event costs, and what a worker holds, with more customers and with longer timelines.

All sizes have a broker and a worker of their own, which stay; they get the same kind of backlog in turns. Brokers are
embedded ones, whatever ``CXBUS_BOOTSTRAP`` says.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from core.timeline.entry import DAY, HOUR

from .bus import LIBRARIES
from .inhabited import RATE, TURN, Inhabited, Worked
from .machine import load, machine
from .preload import Population
from .recovery import emptied
from .report import leave
from .stage import PARTITIONS, numbers, plain_parser, say
from .table import markdown

HEADINGS = (
    "customers × entries",
    "µs of CPU an event",
    "× the first",
    "spread",
    "late",
    "events/s",
    "broker µs an event",
    "MiB restored",
    "MiB at most",
)

SETTINGS = (
    *("customers", "each", "events", "recent", "recent_days", "many", "timelines", "few", "few_events", "days"),
    "rounds",
)

RECENT_TURN = HOUR
"""Within which events happen (µs) to customers whose entries are to stay recent."""


@dataclass(frozen=True, slots=True)
class Series:
    """Sizes that are compared with the first of them. ``events``: of a backlog, which happen within ``turn`` (µs)."""

    title: str
    sizes: Sequence[Population]
    events: int
    turn: int = TURN


@dataclass(frozen=True, slots=True)
class Measured:
    """All rounds of a series that count; ``resident``: MiB of each size's worker once it was restored."""

    series: Series
    rounds: Sequence[Worked]
    resident: Mapping[str, float]


def named(size: Population) -> str:
    """As it stands in the table: customers, and entries of each."""
    return f"{size.customers:,} × {size.entries:,}"


def measured(series: Series, rounds: int, home: Path) -> Measured:
    """All sizes in turns, after a round that does not count. Raises ``Failed`` and ``KafkaError``."""
    found: list[Worked] = []
    now = time.time_ns() // 1000 - (rounds + 1) * series.turn
    with ExitStack() as stack:
        buses = [
            stack.enter_context(Inhabited(named(size), size, emptied(home / str(index)), now, series.turn))
            for index, size in enumerate(series.sizes)
        ]
        for number in range(rounds + 1):
            found += [bus.work(series.events, number) for bus in buses]
        resident = {bus.name: bus.resident for bus in buses}
    for index in range(len(series.sizes)):
        emptied(home / str(index))
    return Measured(series, [one for one in found if one.number], resident)


def table(measured: Measured) -> str:
    """Medians of the rounds, and how they stand to those of the first size."""
    return markdown(HEADINGS, list(_lines(measured)))


def _lines(measured: Measured) -> Iterator[Sequence[str]]:
    base: float | None = None
    for name, resident in measured.resident.items():
        some = [one for one in measured.rounds if one.case == name]
        costs = [one.cpu_microseconds for one in some]
        cost = median(costs)
        base = base or cost
        yield (
            name,
            f"{cost:.0f}",
            f"{cost / base:.2f}",
            f"{(max(costs) - min(costs)) / cost:.0%}",
            f"{sum(one.late for one in some) / sum(one.events for one in some):.1%}",
            f"{median(one.events / one.seconds for one in some):,.0f}",
            f"{median(one.broker_cpu_seconds * 1e6 / one.events for one in some):.0f}",
            f"{resident:,.0f}",
            f"{max(one.mebibytes for one in some):,.0f}",
        )


def all_series(options: argparse.Namespace) -> list[Series]:
    """What the options ask for."""
    asked = [
        Series(
            "Customers",
            [Population(size, options.each) for size in options.customers],
            options.events,
        ),
        Series(
            f"Entries of the last {options.recent_days:g} days",
            [Population(options.many, size, options.recent_days) for size in options.recent],
            options.many,
            RECENT_TURN,
        ),
        Series(
            "Timelines",
            [Population(options.few, size, options.days) for size in options.timelines],
            options.few_events,
        ),
    ]
    return [series for series in asked if series.sizes]


def measure(options: argparse.Namespace, home: Path) -> str:
    """Runs everything and writes it; the text."""
    before = load()
    found = [measured(series, options.rounds, home) for series in all_series(options)]
    about = machine({name: version(name) for name in LIBRARIES}, before, embedded=True)
    paragraphs = [
        paragraph
        for one in found
        for paragraph in (
            f"## {one.series.title}",
            f"{one.series.events:,} events in each round; customers are drawn at random; what they do happens in "
            f"{one.series.turn / DAY:.2g} days.",
            table(one),
        )
    ]
    text, written = leave(
        options.results,
        f"growth-{max(options.customers, default=options.few)}",
        about,
        [
            "Growth: more customers, longer timelines",
            f"One worker, {PARTITIONS} partitions, backlogs that came at {RATE:,} events/s, sizes in turns, "
            f"medians of {options.rounds} rounds after one that does not count.",
            *paragraphs,
            f"Timelines are of the last {options.days:,.0f} days. All become longer by what comes in the rounds. "
            "Memory is resident, with what RocksDB holds of its files.",
        ],
        {
            "settings": {name: getattr(options, name) for name in SETTINGS},
            "series": [
                {
                    "title": one.series.title,
                    "resident": one.resident,
                    "rounds": [{**asdict(each), "cpu_microseconds": each.cpu_microseconds} for each in one.rounds],
                }
                for one in found
            ],
        },
    )
    say(f"written: {written.name}, .json")
    return text


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The settings of a run."""
    told = plain_parser("growth", __doc__, rounds=3)
    add = told.add_argument
    add("--customers", type=numbers, default=(50_000, 1_000_000, 5_000_000), help="numbers of customers")
    add("--each", type=int, default=1, help="entries of each of them")
    add("--events", type=int, default=100_000, help="of a round, all customers alike")
    add("--recent", type=numbers, default=(5, 50), help="entries of customers who are new")
    add("--recent-days", type=float, default=7.0, help="in which they have them: as far as the rules look back")
    add("--many", type=int, default=10_000, help="such customers, and events of a round of theirs")
    add("--timelines", type=numbers, default=(10, 10_000), help="lengths of timelines")
    add("--few", type=int, default=500, help="customers with such timelines")
    add("--few-events", type=int, default=20_000, help="of a round of theirs")
    add("--days", type=float, default=3_650, help="into which such a timeline reaches back")
    return told.parse_args(arguments)


def main() -> None:
    """Runs it."""
    options = parsed(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="cxbus-bench-") as directory:
        print(measure(options, Path(directory)))


if __name__ == "__main__":
    main()
