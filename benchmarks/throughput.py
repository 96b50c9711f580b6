"""Events per second through the whole bus: one worker, a backlog of events of known customers, a broker on one machine.

A small pass makes the customers known; then all events are published while no worker runs; then one worker takes them
from the department topics to timelines, profiles and alerts. The clock runs from its first intake commit to its last
journal commit. ``CXBUS_BENCH_EVENTS``, ``_CUSTOMERS``, ``_RATE`` (events/s to publish; they are read in the order of
broker time, to some seconds, so that a faster backlog is in less order), ``_PROFILE`` (file for cProfile's figures).
"""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from agents.app import departments
from agents.topics import JOURNAL, LINKS, apply, catalogue, events_topic
from deploy.broker import EmbeddedBroker
from schemas.registry import Registry
from tests.chaos.business import CALM, Sent, business

from .worker import ROOT, Figures, Worker

EVENTS = int(os.environ.get("CXBUS_BENCH_EVENTS", "400000"))
CUSTOMERS = int(os.environ.get("CXBUS_BENCH_CUSTOMERS", "20000"))
RATE = float(os.environ.get("CXBUS_BENCH_RATE", "4000"))
PROFILE = os.environ.get("CXBUS_BENCH_PROFILE")
PARTITIONS = 4
SETTINGS = {"CXBUS_PARTITIONS": str(PARTITIONS), "CXBUS_IDENTITY_KEY": "a key for the benchmark"}
LOOK = 0.1
"""Seconds between two looks at the committed offsets."""

GIVE_UP = 1_800.0
STEP = 1_000


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement. Seconds of a stage are its own time: deciding, and waiting for Kafka (``commit``)."""

    events: int
    customers: int
    seconds: float
    events_per_second: float
    cpu_seconds_per_million: float
    late_share: float
    alerts: int
    intake_decide_seconds: float
    intake_commit_seconds: float
    journey_decide_seconds: float
    journey_commit_seconds: float
    records_per_unit: float
    resident_mebibytes: float
    partitions: int
    publish_rate: float
    machine: str
    load_before: float
    load_after: float
    python: str
    aiokafka: str
    faust: str
    rocksdict: str
    commit: str

    def __str__(self) -> str:
        decide = self.intake_decide_seconds + self.journey_decide_seconds
        return (
            f"{self.events_per_second:,.0f} events/s through the whole bus: {self.events:,} events of "
            f"{self.customers:,} customers in {self.seconds:.0f} s by one worker, "
            f"{self.cpu_seconds_per_million:.0f} s of its CPU per million; deciding: intake "
            f"{self.intake_decide_seconds / decide:.0%}, journey {self.journey_decide_seconds / decide:.0%}; "
            f"{self.late_share:.0%} late; {self.machine}, load {self.load_before:.1f} before, {self.load_after:.1f} "
            f"after; {self.commit}"
        )


class Offsets:
    """How far the workers' group has come."""

    def __init__(self, bootstrap: str, topics: Sequence[tuple[str, int]]) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id="cxbus", enable_auto_commit=False)
        self._events = [TopicPartition(n, p) for n, count in topics if n not in (LINKS, JOURNAL) for p in range(count)]
        self._later = [TopicPartition(n, p) for n, count in topics if n in (LINKS, JOURNAL) for p in range(count)]

    def taken(self) -> int:
        """Department records that intake has committed."""
        return sum(self._consumer.committed(tp) or 0 for tp in self._events)

    def all_done(self) -> bool:
        """Nothing left to read anywhere, nor written meanwhile."""
        partitions = [*self._events, *self._later]
        before = self._consumer.end_offsets(partitions)
        done = all((self._consumer.committed(tp) or 0) >= before[tp] for tp in partitions)
        return done and before == self._consumer.end_offsets(partitions)

    def close(self) -> None:
        """Disconnects."""
        self._consumer.close()


def measure(home: Path, bootstrap: str) -> Result:
    """The whole benchmark on an empty cluster."""
    sources = departments(Registry.discover())
    topics = catalogue(sources, PARTITIONS, 1)
    apply(bootstrap, topics)
    read = {LINKS, JOURNAL, *(events_topic(name) for name in sources)}
    now = time.time_ns() // 1000
    sizes = [(topic.name, topic.partitions) for topic in topics if topic.name in read]
    environment = {**SETTINGS, "CXBUS_BOOTSTRAP": bootstrap}
    with offsets(bootstrap, sizes) as progress:
        firsts, events = parted(business(1, EVENTS + CUSTOMERS, CUSTOMERS, now, CALM))
        publish(bootstrap, firsts)
        with Worker(home, environment) as worker:
            wait(progress.all_done, worker)
        known = progress.taken()
        publish(bootstrap, events, RATE)
        load = os.getloadavg()[0]
        with Worker(home, environment, None if PROFILE is None else Path(PROFILE).absolute()) as worker:
            wait(lambda: progress.taken() > known, worker)
            began, before = time.monotonic(), worker.figures()
            wait(progress.all_done, worker)
            seconds, after = time.monotonic() - began, worker.figures()
    return result(len(events), seconds, before, after, load)


def parted(sent: Sequence[Sent]) -> tuple[list[Sent], list[Sent]]:
    """The first event of every customer, and all others, in their order."""
    first: dict[bytes, Sent] = {}
    others = [one for one in sent if first.setdefault(one.key, one) is not one]
    return list(first.values()), others


def publish(bootstrap: str, sent: Sequence[Sent], rate: float = float("inf")) -> None:
    """Everything in its order, acknowledged. ``rate`` in events/s."""
    began = time.monotonic()
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, acks="all", batch_size=256 * 1024)
    for first in range(0, len(sent), STEP):
        some = sent[first : first + STEP]
        sending = [producer.send(s.topic, s.value, s.key, headers=list(s.headers)) for s in some]
        producer.flush(60)
        for one in sending:
            one.get(0)
        time.sleep(max(0.0, began + (first + len(some)) / rate - time.monotonic()))
    producer.close()


@contextmanager
def offsets(bootstrap: str, sizes: Sequence[tuple[str, int]]) -> Iterator[Offsets]:
    """Connected."""
    found = Offsets(bootstrap, sizes)
    try:
        yield found
    finally:
        found.close()


def wait(until: Callable[[], bool], worker: Worker) -> None:
    """Raises ``WorkerEnded``, and ``TimeoutError`` after half an hour."""
    end = time.monotonic() + GIVE_UP
    while not until():
        worker.check()
        if time.monotonic() > end:
            raise TimeoutError("the worker does not come to an end")
        time.sleep(LOOK)


def result(events: int, seconds: float, before: Figures, after: Figures, load: float) -> Result:
    """Figures of the time between two readings of the worker's metrics page."""

    def spent(name: str, **labels: str) -> float:
        return after.sum(name, **labels) - before.sum(name, **labels)

    entries = spent("cxbus_entries_total")
    return Result(
        events=events,
        customers=CUSTOMERS,
        seconds=round(seconds, 1),
        events_per_second=round(events / seconds),
        cpu_seconds_per_million=round(spent("process_cpu_seconds_total") * 1e6 / events, 1),
        late_share=round(spent("cxbus_entries_total", arrival="late") / entries, 3),
        alerts=round(spent("cxbus_alerts_total")),
        intake_decide_seconds=round(spent("cxbus_decide_seconds_sum", stage="intake"), 2),
        intake_commit_seconds=round(spent("cxbus_commit_seconds_sum", stage="intake"), 2),
        journey_decide_seconds=round(spent("cxbus_decide_seconds_sum", stage="journey"), 2),
        journey_commit_seconds=round(spent("cxbus_commit_seconds_sum", stage="journey"), 2),
        records_per_unit=round(
            spent("cxbus_batch_records_sum", stage="journey") / spent("cxbus_batch_records_count", stage="journey")
        ),
        resident_mebibytes=round(after.sum("process_resident_memory_bytes") / 2**20),
        partitions=PARTITIONS,
        publish_rate=RATE,
        machine=f"{os.cpu_count()} x {processor()}",
        load_before=round(load, 1),
        load_after=round(os.getloadavg()[0], 1),
        python=platform.python_version(),
        aiokafka=version("aiokafka"),
        faust=version("faust-streaming"),
        rocksdict=version("rocksdict"),
        commit=commit(),
    )


def processor() -> str:
    """What the CPU calls itself."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def commit() -> str:
    """The commit that was measured, ``+`` when files differ from it."""
    said = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def main() -> None:
    """Runs it and prints."""
    with tempfile.TemporaryDirectory(prefix="cxbus-bench-") as directory, EmbeddedBroker(Path(directory)) as broker:
        found = measure(Path(directory) / "worker", broker.bootstrap)
    print(found)
    print(orjson.dumps(asdict(found)).decode())


if __name__ == "__main__":
    main()
