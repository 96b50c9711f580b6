"""``make bench``: events per second through the whole bus, beside peers that do the same work on the same backlog.

One broker, one process for each contestant. Progress goes to standard error, the table to standard output and, with
every round, to ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agents.identifiers import Identifiers
from deploy.broker import EmbeddedBroker

from .backlog import Backlog, fill
from .bus import KEY, Bus
from .contestant import CannotRun, Contestant
from .machine import load, machine
from .peer import peers
from .race import Race
from .report import RESULTS, Report
from .scenario import Scenario
from .seed import identities, write
from .topics import PREFIX, Topics
from .traffic import customer_no, paced, traffic
from .usage import child_of
from .worker import ROOT

PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Cluster:
    """The Kafka of a run; ``broker`` is its process when it is ours."""

    bootstrap: str
    broker: int | None


def say(words: str) -> None:
    """A line of progress."""
    print(f"{datetime.now(UTC):%H:%M:%S}  {words}", file=sys.stderr, flush=True)


@contextmanager
def cluster(home: Path, environ: Mapping[str, str] = os.environ) -> Iterator[Cluster]:
    """``CXBUS_BOOTSTRAP``, else an embedded broker that is gone afterwards. Raises ``ClusterInUse``."""
    given = environ.get("CXBUS_BOOTSTRAP")
    if given:
        Topics(given, PARTITIONS).check_empty()
        try:
            yield Cluster(given, None)
        finally:
            Topics(given, PARTITIONS).remove_all(PREFIX)
    else:
        with EmbeddedBroker(home) as broker:
            yield Cluster(broker.bootstrap, child_of(broker.group))


def prepared(wanted: Sequence[str], build: Path) -> tuple[list[Contestant], dict[str, str], dict[str, str]]:
    """Who can take part, their libraries' versions, and who can't with the reason."""
    can: list[Contestant] = []
    versions: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for contestant in contestants(wanted):
        try:
            versions |= contestant.prepare(build)
        except CannotRun as reason:
            say(f"{contestant.name} is skipped: {reason}")
            skipped[contestant.name] = str(reason)
        else:
            can.append(contestant)
    return can, versions, skipped


def contestants(wanted: Sequence[str] = ()) -> list[Contestant]:
    """Those named, or all. Raises ``CannotRun`` for a name that nobody has."""
    profile = os.environ.get("CXBUS_BENCH_PROFILE")
    known: list[Contestant] = [Bus(None if profile is None else Path(profile).absolute()), *peers()]
    if unknown := set(wanted) - {one.name for one in known}:
        raise CannotRun(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(one.name for one in known)}")
    return [one for one in known if not wanted or one.name in wanted]


async def published(bootstrap: str, scenario: Scenario, partitions: int, rate: float) -> Backlog:
    """The scenario's backlog on the departments' topics, and its customers known to the bus."""
    say(f"{scenario.name}: publishing {scenario.events:,} events")
    Topics(bootstrap, partitions).input()
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
    taking_part, versions, skipped = prepared(options.contestants, options.build)
    race = Race(place.bootstrap, PARTITIONS, home, place.broker, say)
    reports = []
    for name in options.scenarios:
        scenario, before = Scenario.named(name, options.events), load()
        backlog = asyncio.run(published(place.bootstrap, scenario, PARTITIONS, options.rate))
        rounds = list(race.rounds(taking_part, backlog, options.rounds))
        failed = {one.name: "it failed" for one in taking_part if one.name not in {r.contestant for r in rounds}}
        about = machine(versions, before, embedded=place.broker is not None)
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        reports.append(Report(today, scenario, PARTITIONS, options.rate, about, rounds, {**skipped, **failed}))
        print(reports[-1].text(), flush=True)
        say(f"written: {reports[-1].write(options.results).name}, .json")
    return reports


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The settings of a run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    add = parser.add_argument
    add("--events", type=int, default=1_000_000, help="records of the backlog, about")
    add("--rate", type=float, default=4_000, help="events/s at which the backlog came, by its stamps; 0: in six days")
    add("--rounds", type=int, default=3, help="rounds of each contestant; the table has their medians")
    add("--scenarios", type=_names, default=("20k-uniform",), help="such as 20k-uniform,1M-skewed")
    add("--contestants", type=_names, default=(), help="such as cxbus,limit; default: all")
    add("--build", type=Path, default=ROOT / "build" / "bench", help="where peers are built")
    add("--results", type=Path, default=RESULTS, help="where reports are written")
    return parser.parse_args(arguments)


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def main() -> None:
    """Runs it."""
    options = parsed(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="cxbus-bench-") as directory:
        home = Path(directory)
        with cluster(home) as place:
            measure(options, home, place)


if __name__ == "__main__":
    main()
