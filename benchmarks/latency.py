"""How soon an alert can be read: from publishing an event to reading its alert, at a steady rate, warm.

Every contestant gets the same stream, one after the other, round after round; the table has the medians.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

from agents.identifiers import Identifiers

from .bus import KEY
from .contestant import Contestant, Failed, Place
from .exchange import Exchange
from .machine import load, machine
from .pairs import POOL, Due, Pairs, stream
from .race import in_turn
from .report import leave
from .scenario import Scenario
from .seed import identities, write
from .stage import PARTITIONS, Cluster, on_a_cluster, parser, prepared, say
from .stopwatch import Delays
from .table import STREAMS, markdown
from .topics import Topics
from .traffic import customer_no, traffic
from .usage import Usage

ALL = ("cxbus", "kafka_streams", "quix", "plain_faust")
HEADINGS = (
    "contestant",
    "p50 ms",
    "p99 ms",
    "max ms",
    "p50 / Kafka Streams",
    "p99 / Kafka Streams",
    "CPU",
    "alerts",
    "missing",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One round. ``cpu``: processors that the contestant kept busy. ``behind_ms``: most that the publisher was late."""

    contestant: str
    number: int
    delays: Delays
    cpu: float
    behind_ms: float


def measured(contestant: Contestant, number: int, place: Cluster, home: Path, options: argparse.Namespace) -> Measured:
    """One contestant, once. Raises ``Failed``."""
    topics = Topics(place.bootstrap, PARTITIONS)
    topics.input()
    prefix = f"bench-{contestant.name.replace('_', '-')}-{number}-{time.time_ns() // 1_000_000 % 10**9}"
    where = Place(place.bootstrap, prefix, PARTITIONS, home / prefix)
    where.home.mkdir(parents=True)
    scenario = Scenario.named(options.scenario, round(options.rate * (options.warm + options.seconds + 1)))
    pairs = Pairs(scenario.customers)

    def events(first: int, begin: int) -> Iterator[Due]:
        return stream(traffic(scenario, begin), pairs, first, begin, options.rate, options.share)

    try:
        with ExitStack() as stack:
            running = stack.enter_context(contestant.at_work(where))
            usage = stack.enter_context(Usage(*running.pids))
            assert running.outlets is not None, "the limit fires no alerts"
            exchange = Exchange(place.bootstrap, PARTITIONS, running.outlets.alerts, running.check)
            asyncio.run(exchange.play(pairs, events, options.warm, options.seconds))
        try:
            delays = exchange.watch.delays()
        except ValueError as error:
            raise Failed(str(error)) from None
        begin = exchange.watch.begin
        cpu = usage.spent(begin, begin + options.seconds).cpu_seconds / options.seconds
        return Measured(contestant.name, number, delays, round(cpu, 3), round(exchange.behind * 1000, 1))
    finally:
        topics.remove(topics.of_round(prefix))
        shutil.rmtree(where.home, ignore_errors=True)


def played(
    taking_part: Sequence[Contestant], place: Cluster, home: Path, options: argparse.Namespace
) -> list[Measured]:
    """All of them, alternating. One that fails is told and left out from then on."""
    found: list[Measured] = []
    left = list(taking_part)
    for number in range(1 - options.warm_ups, options.rounds + 1):
        for contestant in in_turn(left, number):
            try:
                one = measured(contestant, number, place, home, options)
            except Failed as failure:
                say(f"{contestant.name}, round {number}: {failure}")
                left.remove(contestant)
                continue
            if number > 0:
                found.append(one)
            say(
                f"{one.contestant}, round {number}: p50 {one.delays.p50:.0f} ms, p99 {one.delays.p99:.0f} ms, "
                f"{one.delays.alerts:,} alerts, {one.delays.missing} missing; the publisher was at most "
                f"{one.behind_ms:.0f} ms late"
            )
    return found


def table(found: Sequence[Measured]) -> str:
    """Medians of the rounds, the quickest first."""
    by_name = {one.contestant: [other for other in found if other.contestant == one.contestant] for one in found}
    p50 = {name: median(one.delays.p50 for one in some) for name, some in by_name.items()}
    p99 = {name: median(one.delays.p99 for one in some) for name, some in by_name.items()}
    lines = [
        (
            name,
            f"{p50[name]:.1f}",
            f"{p99[name]:.1f}",
            f"{median(one.delays.most for one in by_name[name]):.1f}",
            f"{p50[name] / p50[STREAMS]:.2f}" if STREAMS in p50 else "",
            f"{p99[name] / p99[STREAMS]:.2f}" if STREAMS in p99 else "",
            f"{median(one.cpu for one in by_name[name]):.0%}",
            f"{sum(one.delays.alerts for one in by_name[name]):,}",
            f"{sum(one.delays.missing for one in by_name[name]):,}",
        )
        for name in sorted(by_name, key=lambda name: p99[name])
    ]
    return markdown(HEADINGS, lines)


def measure(options: argparse.Namespace, home: Path, place: Cluster) -> str:
    """Runs everything and writes it; the text."""
    taking_part, versions, skipped = prepared(options.contestants, options.build)
    before = load()
    scenario = Scenario.named(options.scenario, 1)
    Topics(place.bootstrap, PARTITIONS).identities()
    known = ([customer_no(number)] for number in range(scenario.customers + POOL))
    asyncio.run(write(place.bootstrap, identities(Identifiers(KEY.encode()), known), say))
    found = played(taking_part, place, home, options)
    about = machine(versions, before, embedded=place.broker is not None)
    settings = {name: getattr(options, name) for name in ("rate", "share", "warm", "seconds", "rounds", "scenario")}
    text, written = leave(
        options.results,
        f"latency-{scenario.name}",
        about,
        [
            f"Publish to alert at {options.rate:,.0f} events/s, {scenario.customers:,} customers",
            f"{options.seconds:.0f} s of each round after {options.warm:.0f} s of warming up, {options.rounds} rounds, "
            f"{options.share:.0%} of the events fire an alert.",
            table(found),
            *(f"Not measured: {name}: {why}" for name, why in skipped.items()),
        ],
        {"settings": settings, "rounds": list(map(asdict, found)), "skipped": skipped},
    )
    say(f"written: {written.name}, .json")
    return text


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The settings of a run."""
    told = parser("latency", __doc__, ALL)
    add = told.add_argument
    add("--rate", type=float, default=2_000, help="events/s")
    add("--share", type=float, default=0.05, help="of the events, so many fire an alert for certain")
    add("--warm", type=float, default=20, help="seconds of warming up in each round, after the first alert")
    add("--seconds", type=float, default=40, help="seconds that are measured in each round")
    add("--scenario", default="20k-uniform", help="the other events' customers and their spread")
    return told.parse_args(arguments)


def main() -> None:
    """Runs it."""
    options = parsed(sys.argv[1:])
    print(on_a_cluster(partial(measure, options)))


if __name__ == "__main__":
    main()
