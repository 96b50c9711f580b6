"""The bus without Kafka: intake's routing, the journey's decisions and their local store in one process.

``python -m benchmarks.inprocess`` prints the CPU that an event takes (``CXBUS_BENCH_EVENTS``, ``_CUSTOMERS``, ``_UNIT``
records of a unit of work), beside that of a yardstick: a machine that is busy elsewhere is slow at both. The digest
tells whether a change has changed what is written.
"""

from __future__ import annotations

import gc
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import orjson

from agents.directory import Directory
from agents.pipeline import Pipeline, PipelineConfig
from agents.rule_files import BUILT_IN
from core.identity.links import Node
from engine.kafka.record import Record
from engine.transactional.transaction import Output
from runtime.settings import Settings
from schemas.topics import JOURNAL

from .scenario import Scenario
from .traffic import Published, traffic

NOW = 1_772_442_000_000_000
YARDS = 3_000


class Everybody(Directory):
    """Knows everybody already: a customer is named after the first of his nodes."""

    def customer(self, nodes: Sequence[Node]) -> str | None:
        """The customer, always."""
        return super().customer(nodes) or self._know(nodes)

    def _know(self, nodes: Sequence[Node]) -> str:
        owner = f"c_{nodes[0].hash[:26]}"
        for node in nodes:
            self._recent[node.hash] = owner
        return owner


def config() -> PipelineConfig:
    """A bus of one partition, with the rules in force. Raises ``core.rules.reading.RuleError``."""
    return PipelineConfig.of(Settings().rules_dir or BUILT_IN)


class Line:
    """Intake and the journey of one partition, one behind the other. Nothing of it is kept but their stores."""

    def __init__(self, home: Path) -> None:
        self._pipeline = Pipeline(replace(config(), directory=Everybody), home)
        self._intake, self._journey = self._pipeline.intake, self._pipeline.journey()
        self._offset = 0

    def route(self, records: Sequence[Record]) -> list[Record]:
        """The journal's records."""
        journal = [_record(self._offset + n, one) for n, one in enumerate(self._intake.route(records))]
        self._offset += len(journal)
        return journal

    def decide(self, journal: Sequence[Record]) -> Sequence[Output]:
        """One unit of work, stored."""
        return self._pipeline.unit(self._journey, journal)

    def forget(self) -> None:
        """The journey knows no customer by heart any more: whoever comes is read from the store."""
        self._journey.opened(self._pipeline.mark(self._journey))
        self.decide(())  # after a unit of work it looks which entries the store holds

    def close(self) -> None:
        """Releases the stores."""
        self._pipeline.close()


def published(events: int, customers: int) -> list[Record]:
    """The same events each time, as a consumer gets them: that many, of so many customers, in six days."""
    scenario = Scenario.named(f"{customers}-uniform", events)
    return [_published(number, one) for number, one in enumerate(traffic(scenario, NOW))]


def units(records: Sequence[Record], size: int) -> Iterator[list[Record]]:
    """Units of work of so many records."""
    left = iter(records)
    while unit := list(islice(left, size)):
        yield unit


def _published(number: int, one: Published) -> Record:
    return Record(one.topic, 0, number, NOW // 1000, one.key, one.value)


def _record(offset: int, one: Output) -> Record:
    return Record(JOURNAL, 0, offset, NOW // 1000, one.key, one.value, one.headers)


def yardstick() -> float:
    """CPU seconds of ``YARDS`` pieces of work of the same kind."""
    began = time.process_time()
    table: dict[str, int] = {}
    for number in range(YARDS):
        parsed = orjson.loads(_SOME)
        name = f"{parsed['source']}/{number % 100}"
        table[name] = table.get(name, 0) + len(parsed["data"]["customer"]["identifiers"])
        orjson.dumps([*parsed.items()])
    return time.process_time() - began


_SOME = (
    b'{"specversion":"1.0","id":"1","source":"/somewhere","data":{"total":"1.00",'
    b'"customer":{"identifiers":[{"type":"customer_no","value":"C-1"}]}}}'
)


def main() -> None:
    """Prints the figures."""
    events = int(os.environ.get("CXBUS_BENCH_EVENTS", "40000"))
    customers = int(os.environ.get("CXBUS_BENCH_CUSTOMERS", "8000"))
    size = int(os.environ.get("CXBUS_BENCH_UNIT", "1000"))
    records, digest, clock = published(events, customers), hashlib.sha256(), time.process_time
    ratios: list[float] = []
    spent = [0.0, 0.0]
    with tempfile.TemporaryDirectory() as directory:
        line = Line(Path(directory))
        gc.collect()
        gc.freeze()
        gc.set_threshold(500_000, 20, 50)  # as the worker does
        for unit in units(records, size):
            yard = yardstick() / YARDS
            began = clock()
            journal = line.route(unit)
            routed = clock()
            outputs = line.decide(journal)
            decided = clock()
            spent = [spent[0] + routed - began, spent[1] + decided - routed]
            ratios.append((decided - began) / len(unit) / yard)
            digest.update(repr([(one.topic, one.key, one.value) for one in outputs]).encode())
        line.close()
    intake, journey = (1e6 * seconds / len(records) for seconds in spent)
    print(
        f"{statistics.median(ratios):.1f} yardsticks per event (intake {intake:.1f} µs, journey {journey:.1f} µs); "
        f"what was written: {digest.hexdigest()[:16]}"
    )


if __name__ == "__main__":
    main()
