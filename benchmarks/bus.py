"""cxbus as a contestant: one worker process, customers who are known beforehand, topics of its own for every round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from agents.topics import ALERTED, JOURNAL, PROFILES, TIMELINE, alerts_topic

from .contestant import Failed, Outlets, Place, Reading
from .topics import Topics
from .worker import Figures, Worker, WorkerEnded

KEY = "a key for the benchmark"
"""Of the identifiers' hashes, which ``benchmarks.seed`` must make with the same one."""

LIBRARIES = ("aiokafka", "faust-streaming", "rocksdict", "orjson", "pydantic")


@dataclass(frozen=True, slots=True)
class BusRunning:
    """The worker at work."""

    worker: Worker

    @property
    def outlets(self) -> Outlets | None:
        """The bus's own topics."""
        return Outlets(JOURNAL, TIMELINE, PROFILES, tuple(map(alerts_topic, ALERTED)))

    @property
    def pid(self) -> int:
        """Of the worker."""
        return self.worker.pid

    def check(self) -> None:
        """Raises ``Failed``."""
        try:
            self.worker.check()
        except WorkerEnded as error:
            raise Failed(str(error)) from None

    def reading(self) -> Reading | None:
        """None: it writes."""
        return None

    def details(self) -> Mapping[str, float]:
        """What its metrics page says of the two stages."""
        return stages(self.worker.figures())


@dataclass(frozen=True, slots=True)
class Bus:
    """``profile``: where cProfile leaves its figures of the last round, if anywhere."""

    profile: Path | None = None
    name: str = "cxbus"

    def prepare(self, build: Path) -> Mapping[str, str]:
        """Everything is there already."""
        return {library: version(library) for library in LIBRARIES}

    @contextmanager
    def at_work(self, place: Place) -> Iterator[BusRunning]:
        """See ``Contestant``. A group of its own reads the departments' topics from their beginning."""
        Topics(place.bootstrap, place.partitions).bus()
        environment = {
            "CXBUS_BOOTSTRAP": place.bootstrap,
            "CXBUS_PARTITIONS": str(place.partitions),
            "CXBUS_IDENTITY_KEY": KEY,
            "CXBUS_APP_ID": place.prefix,
        }
        with Worker(place.home, environment, self.profile) as worker:
            yield BusRunning(worker)


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
