"""cxbus as a contestant: worker processes, customers who are known beforehand, topics of its own for every round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from schemas.alerted import ALERTED
from schemas.topics import JOURNAL, PROFILES, TIMELINE, alerts_topic

from .contestant import Failed, Outlets, Place, Reading
from .machine import commit
from .topics import Topics
from .worker import NAME, ROOT, Figures, Sink, Worker, WorkerEnded

KEY = "a key for the benchmark"
"""Of the identifiers' hashes, which ``benchmarks.seed`` must make with the same one."""

LIBRARIES = ("aiokafka", "faust-streaming", "rocksdict", "orjson", "pydantic")


@dataclass(frozen=True, slots=True)
class BusRunning:
    """The workers at work, and a sink beside them, if any."""

    workers: Sequence[Worker]
    sink: Sink | None = None

    @property
    def outlets(self) -> Outlets | None:
        """The bus's own topics."""
        return Outlets(JOURNAL, TIMELINE, PROFILES, tuple(map(alerts_topic, ALERTED)))

    @property
    def pids(self) -> Sequence[int]:
        """Of the workers: the sink is somebody else."""
        return [worker.pid for worker in self.workers]

    def check(self) -> None:
        """Raises ``Failed``."""
        try:
            for worker in self.workers:
                worker.check()
            if self.sink is not None:
                self.sink.check()
        except WorkerEnded as error:
            raise Failed(str(error)) from None

    def reading(self) -> Reading | None:
        """None: it writes."""
        return None

    def details(self) -> Mapping[str, float]:
        """What the metrics pages say of the two stages, and of the sink."""
        found = stages(Figures(*(worker.page() for worker in self.workers)))
        return found if self.sink is None else {**found, **copied(self.sink.figures())}


@dataclass(frozen=True, slots=True)
class Bus:
    """``profile``: where cProfile leaves its figures of the last round, if anywhere (of one worker).

    ``tree``: the checkout whose workers they are, on topics as this one makes them.
    """

    profile: Path | None = None
    name: str = "cxbus"
    workers: int = 1
    sink: bool = False
    tree: Path = ROOT

    def prepare(self, build: Path) -> Mapping[str, str]:
        """Everything is there already. Another tree's commit is told beside the versions."""
        other = {} if self.tree == ROOT else {self.name: commit(self.tree)}
        return {library: version(library) for library in LIBRARIES} | other

    @contextmanager
    def at_work(self, place: Place) -> Iterator[BusRunning]:
        """See ``Contestant``. A group of its own reads the departments' topics from their beginning."""
        Topics(place.bootstrap, place.partitions).bus()
        told = environment(place)
        with ExitStack() as stack:
            workers = [
                stack.enter_context(
                    Worker(place.home, told, self.profile, name if self.workers > 1 else NAME, self.tree)
                )
                for name in map(str, range(self.workers))
            ]
            sink = stack.enter_context(Sink(place.home, told)) if self.sink else None
            yield BusRunning(workers, sink)


def environment(place: Place) -> Mapping[str, str]:
    """What the bus's processes are told."""
    return {
        "CXBUS_BOOTSTRAP": place.bootstrap,
        "CXBUS_PARTITIONS": str(place.partitions),
        "CXBUS_IDENTITY_KEY": KEY,
        "CXBUS_APP_ID": place.prefix,
    }


def copied(figures: Figures) -> Mapping[str, float]:
    """What a sink has done so far: records in its database, records still to read, CPU seconds."""
    return {
        "sink_records": figures.sum("cxbus_sink_records_total"),
        "sink_behind": figures.sum("cxbus_consumer_lag_records"),
        "sink_cpu_seconds": round(figures.sum("process_cpu_seconds_total"), 2),
    }


def stages(figures: Figures) -> Mapping[str, float]:
    """Seconds that each stage took for deciding, and for waiting for Kafka (``commit``); records of a unit of work."""
    units = figures.sum("cxbus_batch_records_count", stage="journey")
    return {
        "intake_decide_seconds": round(figures.sum("cxbus_decide_seconds_sum", stage="intake"), 2),
        "intake_commit_seconds": round(figures.sum("cxbus_commit_seconds_sum", stage="intake"), 2),
        "journey_decide_seconds": round(figures.sum("cxbus_decide_seconds_sum", stage="journey"), 2),
        "journey_commit_seconds": round(figures.sum("cxbus_commit_seconds_sum", stage="journey"), 2),
        "records_per_unit": round(figures.sum("cxbus_batch_records_sum", stage="journey") / units) if units else 0,
        "through_links": round(figures.sum("cxbus_routed_total", way="links")),
    }
