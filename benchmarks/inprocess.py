"""What one event costs in CPU, without Kafka: intake's routing, the journey's decision and its local store, in process.

The same input each time, made from a seed. Prints µs of CPU per event of each step; ``CXBUS_BENCH_EVENTS``,
``_CUSTOMERS``, ``_UNIT`` (records of a unit of work).
"""

from __future__ import annotations

import gc
import hashlib
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
from aiokafka import ConsumerRecord
from prometheus_client import CollectorRegistry

from agents.app import rules
from agents.directory import Directory
from agents.identifiers import Identifiers
from agents.intake import Intake
from agents.journey import Journey
from agents.metrics import Metrics
from agents.settings import Settings
from agents.topics import JOURNAL
from core.identity import Node
from engine.checkpoint import Checkpoint
from engine.cluster import Cluster
from engine.unit_of_work import Output
from schemas.codec import Codec
from schemas.registry import Registry
from tests.chaos.business import CALM, Sent, business

EVENTS = int(os.environ.get("CXBUS_BENCH_EVENTS", "40000"))
CUSTOMERS = int(os.environ.get("CXBUS_BENCH_CUSTOMERS", "2000"))
UNIT = int(os.environ.get("CXBUS_BENCH_UNIT", "2000"))
NOW = 1_772_442_000_000_000
MARK = Checkpoint(Cluster("bench", {}), {}, 0.0)


class Everybody(Directory):
    """Knows everybody already: a customer is the first of his nodes."""

    def customer(self, nodes: Sequence[Node]) -> str | None:
        return super().customer(nodes) or self._know(nodes)

    def _know(self, nodes: Sequence[Node]) -> str:
        owner = f"c_{nodes[0].hash[:26]}"
        for node in nodes:
            self._recent[node.hash] = owner
        return owner


def main() -> None:
    """Prints the figures."""
    sent = business(1, EVENTS, CUSTOMERS, NOW, CALM)
    with tempfile.TemporaryDirectory() as directory:
        metrics = Metrics(CollectorRegistry())
        identifiers = Identifiers(b"a key for the benchmark")
        registry = Registry.discover()
        intake = Intake(Codec(registry), identifiers, Everybody("", identifiers, Path(directory) / "d"), 1, "", metrics)
        journey = Journey(0, 1, rules(Settings(), registry), identifiers, Path(directory) / "j", metrics)
        spent: dict[str, float] = defaultdict(float)
        clock = time.process_time
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 50)  # as the worker does
        done = 0
        ratios: list[float] = []
        digest = hashlib.sha256()
        for some in batched(records(sent), UNIT):
            yard = yardstick()
            spent["yard"] += yard
            began = clock()
            routed = intake.route(some)
            middle = clock()
            journal = [record(JOURNAL, done + index, one) for index, one in enumerate(routed)]
            before = clock()
            outputs = journey.decide(journal)
            decided = clock()
            journey.committed(MARK)
            stored = clock()
            done += len(journal)
            spent["intake"] += middle - began
            spent["decide"] += decided - before
            spent["store"] += stored - decided
            ratios.append((middle - began + stored - before) / len(some) / yard * 3_000)
            spent["outputs"] += len(outputs)
            spent["bytes"] += sum(len(one.value or b"") for one in outputs)
            digest.update(repr([(o.topic, o.key, o.value) for o in outputs]).encode())
        journey.close()
    print(
        f"{statistics.median(ratios):.2f} yardsticks per event",
        digest.hexdigest()[:16],
        {
            name: round(value * (1e6 if name not in ("outputs", "bytes") else 1) / len(sent), 2)
            for name, value in spent.items()
        },
    )


def yardstick() -> float:
    """CPU seconds of a fixed piece of work of the same kind: a machine that is busy elsewhere is slow at both."""
    began = time.process_time()
    table: dict[str, int] = {}
    for number in range(3_000):
        parsed = orjson.loads(_SOME)
        name = f"{parsed['source']}/{number % 100}"
        table[name] = table.get(name, 0) + len(parsed["data"]["customer"]["identifiers"])
        orjson.dumps([*parsed.items()])
    return time.process_time() - began


_SOME = orjson.dumps(
    {
        "specversion": "1.0",
        "id": "1",
        "source": "/somewhere",
        "data": {"customer": {"identifiers": [{"type": "customer_no", "value": "C-1"}]}, "total": "1.00"},
    }
)


def records(sent: Sequence[Sent]) -> Iterator[ConsumerRecord]:
    """As a consumer gets them."""
    for number, one in enumerate(sent):
        yield ConsumerRecord(
            one.topic, 0, number, NOW // 1000, 0, one.key, one.value, None, len(one.key), len(one.value), one.headers
        )


def record(topic: str, offset: int, output: Output) -> ConsumerRecord:
    value = output.value or b""
    return ConsumerRecord(topic, 0, offset, NOW // 1000, 0, output.key, value, None, 1, len(value), output.headers)


def batched(records: Iterator[ConsumerRecord], size: int) -> Iterator[list[ConsumerRecord]]:
    some: list[ConsumerRecord] = []
    for one in records:
        some.append(one)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


if __name__ == "__main__":
    main()
