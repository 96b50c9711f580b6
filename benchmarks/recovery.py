"""Restoring a state from its topics, timed: the bus's worker, and plain Faust's Tables."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from agents.topic_admin import apply
from engine.transactional.transaction import Output
from schemas.topics import JOURNAL, MIB, PROFILES, TIMELINE, Topic

from .bus import environment
from .contestant import Failed, Place
from .preload import Population
from .program import Program
from .usage import Usage
from .worker import ROOT, Worker, WorkerEnded

PATIENCE = 1_800.0
"""Seconds for a recovery: some million records at a thousand a second."""

LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Recovered:
    """One recovery. ``seconds``: of reading the topics; ``ready``: from the start of the process until it can work.

    ``records``: how many were read back. CPU and memory are those of the process until then.
    """

    contestant: str
    number: int
    population: Population
    records: int
    seconds: float
    ready: float
    cpu_seconds: float
    mebibytes: float

    @property
    def records_per_second(self) -> float:
        """While the topics were read."""
        return self.records / self.seconds


def of_bus(place: Place, population: Population, contestant: str, number: int) -> Recovered:
    """A worker started on the bus's topics, in ``place.home``: empty, or what an earlier one left.

    ``seconds`` is the longest opening of a journal partition, which all begin together. Raises ``Failed``.
    """
    began = time.time()
    try:
        with Worker(place.home, environment(place)) as worker, Usage(worker.pid) as usage:
            ready = worker.until_ready(PATIENCE)
            figures = worker.figures()
    except WorkerEnded as error:
        raise Failed(str(error)) from None
    if figures.sum("cxbus_dead_total"):
        raise Failed(f"{contestant} found records that it can't use")
    spent = usage.spent(began, ready)
    return Recovered(
        contestant=contestant,
        number=number,
        population=population,
        records=round(figures.sum("cxbus_restored_records_total")),
        seconds=figures.most("cxbus_restore_seconds", topic=JOURNAL),
        ready=ready - began,
        cpu_seconds=spent.cpu_seconds,
        mebibytes=spent.mebibytes,
    )


def of_faust(place: Place, population: Population, store: str, number: int) -> Recovered:
    """A plain Faust worker started on its Tables' changelogs. ``store``: memory or rocksdb. Raises ``Failed``."""
    contestant = f"faust_{store}"
    told = {
        "PYTHONPATH": str(ROOT),
        "BENCH_BOOTSTRAP": place.bootstrap,
        "BENCH_PREFIX": place.prefix,
        "BENCH_PARTITIONS": str(place.partitions),
        "BENCH_STATE": str(place.home / "state"),
        "BENCH_INPUT": f"{place.prefix}-input",
        "BENCH_STORE": f"{store}://",
    }
    began = time.time()
    command = [sys.executable, "-P", "-m", "benchmarks.peers.faust_tables"]
    with Program(contestant, command, told, place.home) as program, Usage(program.pid) as usage:
        until = time.monotonic() + PATIENCE
        while len(program.said) < 2:
            program.check()
            if time.monotonic() > until:
                raise Failed(f"{contestant} did not recover within {PATIENCE:.0f} s")
            time.sleep(LOOK)
        (_, _), (ready, said) = program.said
    seconds, records = said["seconds"], said["records"]
    assert isinstance(seconds, float)
    assert isinstance(records, int)
    if records != population.records:
        raise Failed(f"{contestant} has {records:,} of {population.records:,} records")
    spent = usage.spent(began, ready)
    return Recovered(
        contestant, number, population, records, seconds, ready - began, spent.cpu_seconds, spent.mebibytes
    )


def changelogs(bootstrap: str, prefix: str, partitions: int) -> Mapping[str, str]:
    """Makes the topics of the Faust app of that name; its changelogs by the bus's topics. Raises as ``apply`` does."""
    names = {topic: f"{prefix}-{topic.split('.')[1]}-changelog" for topic in (TIMELINE, PROFILES)}
    wanted = [Topic(name, partitions, 1, "compact", 2 * MIB) for name in names.values()]
    apply(bootstrap, [*wanted, Topic(f"{prefix}-input", partitions, 1, "delete", MIB)])
    return names


def as_changelogs(records: Iterator[Output], names: Mapping[str, str]) -> Iterator[Output]:
    """The bus's records as a Faust app would have written them: the same keys and values, no headers."""
    for one in records:
        yield msgspec.structs.replace(one, topic=names[one.topic], headers=())


def emptied(home: Path) -> Path:
    """The directory, new."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return home
