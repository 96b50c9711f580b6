"""What every benchmark needs before it begins: a Kafka, and those who take part."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from deploy.broker import EmbeddedBroker

from .bus import Bus
from .contestant import CannotRun, Contestant
from .peer import peers
from .report import RESULTS
from .table import OTHER, TWO
from .topics import Topics
from .usage import child_of
from .worker import ROOT

T = TypeVar("T")

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
        topics = Topics(given, PARTITIONS)
        topics.check_empty()
        try:
            yield Cluster(given, None)
        finally:
            topics.remove(topics.of_bus())
    else:
        with EmbeddedBroker(home) as broker:
            yield Cluster(broker.bootstrap, child_of(broker.group))


def on_a_cluster(measure: Callable[[Path, Cluster], T]) -> T:
    """What ``measure`` finds, given a directory and a Kafka that are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cxbus-bench-") as directory:
        home = Path(directory)
        with cluster(home) as place:
            return measure(home, place)


def plain_parser(what: str, about: str | None, rounds: int) -> argparse.ArgumentParser:
    """What all benchmarks can be told; ``rounds`` unless it is said."""
    told = argparse.ArgumentParser(prog=f"python -m benchmarks.{what}", description=about)
    add = told.add_argument
    add("--rounds", type=int, default=rounds, help="rounds of each contestant; the table has their medians")
    add("--results", type=Path, default=RESULTS, help="where reports are written")
    return told


def parser(what: str, about: str | None, everybody: Sequence[str]) -> argparse.ArgumentParser:
    """The same where peers take part. ``everybody``: who does unless it is said; nobody named: all."""
    told = plain_parser(what, about, rounds=3)
    add = told.add_argument
    add("--warm-ups", type=int, default=1, help="rounds before, not counted: a young broker compiles half of the time")
    add("--contestants", type=names, default=everybody, help=f"default: {','.join(everybody) or 'all'}")
    add("--build", type=Path, default=ROOT / "build" / "bench", help="where peers are built")
    return told


def prepared(
    wanted: Sequence[str], build: Path, other: Path | None = None
) -> tuple[list[Contestant], dict[str, str], dict[str, str]]:
    """Who can take part, their libraries' versions, and who can't with the reason. ``other``: see ``contestants``."""
    can: list[Contestant] = []
    versions: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for contestant in contestants(wanted, other):
        try:
            versions |= contestant.prepare(build)
        except CannotRun as reason:
            say(f"{contestant.name} is skipped: {reason}")
            skipped[contestant.name] = str(reason)
        else:
            can.append(contestant)
    return can, versions, skipped


def contestants(wanted: Sequence[str] = (), other: Path | None = None) -> list[Contestant]:
    """Those named, or all with one worker or thread; ``-2`` behind a name: two. Raises ``CannotRun`` for a name that
    nobody has.

    ``other``: another checkout, whose bus takes part beside them in any case.
    """
    profile = os.environ.get("CXBUS_BENCH_PROFILE")
    known: list[Contestant] = [
        Bus(None if profile is None else Path(profile).absolute()),
        Bus(name=f"cxbus{TWO}", workers=2),
        *peers(),
    ]
    before: list[Contestant] = [] if other is None else [Bus(name=OTHER, tree=other.resolve())]
    if unknown := set(wanted) - {one.name for one in known}:
        raise CannotRun(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(one.name for one in known)}")
    return before + [one for one in known if one.name in wanted or not (wanted or one.name.endswith(TWO))]


def names(text: str) -> tuple[str, ...]:
    """Those of a list with commas."""
    return tuple(filter(None, text.split(",")))


def numbers(text: str) -> tuple[int, ...]:
    """The same of numbers. Raises ``ValueError``."""
    return tuple(map(int, names(text)))
