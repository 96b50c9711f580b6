"""The bus without Kafka: intake, resolver and journey are handed each other's records in one process.

What a log looks like when nothing fails; the checker's own tests damage it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from agents.directory import Directory
from agents.identifiers import Identifiers
from agents.intake import Intake
from agents.journey import Journey
from agents.metrics import Metrics
from agents.resolver import Resolver
from core.rules.ruleset import RuleSet
from engine.transactional.transaction import Output
from schemas.codec import Codec
from schemas.registry import Registry
from schemas.topics import IDENTITIES, JOURNAL, LINKS
from tests.unit.agents.bench import MARK

from .business import Sent
from .log import Log, Record

NOWHERE = "127.0.0.1:1"
"""Nobody connects."""


class MemoryBus:
    """``publish`` brings events all the way through, batch by batch. Times in ms."""

    def __init__(self, home: Path, rules: RuleSet, identifiers: Identifiers, partitions: int) -> None:
        metrics = Metrics(CollectorRegistry())
        self._directory = Directory(NOWHERE, identifiers, home / "directory")
        codec = Codec(Registry.discover())
        self._intake = Intake(codec, identifiers, self._directory, partitions, NOWHERE, metrics)
        self._resolver = Resolver(0, partitions, identifiers, home / "resolver", metrics)
        self._journeys = [
            Journey(p, partitions, rules, identifiers, home / f"journey-{p}", metrics) for p in range(partitions)
        ]
        self._ends: Counter[tuple[str, int]] = Counter()
        self._unread: defaultdict[tuple[str, int], list[Record]] = defaultdict(list)
        self.log = Log()

    def publish(self, sent: Sequence[Sent], now: int, batch: int = 50) -> None:
        """Everything in its order, from ``now`` on, one batch a second."""
        for first in range(0, len(sent), batch):
            now += 1000
            for one in sent[first : first + batch]:
                record = self._append(Output(one.topic, 0, one.key, one.value, one.headers), now)
                self._take(self._intake.route([record]), now)
            self._settle(now)

    def close(self) -> None:
        """Releases the stores."""
        self._directory.close()
        self._resolver.close()
        for journey in self._journeys:
            journey.close()

    def _settle(self, now: int) -> None:
        links = self._unread.pop((LINKS, 0), [])
        if links:
            self._take(self._resolver.decide(links), now)
            self._resolver.committed(MARK)
            self._directory.learn(self._unread.pop((IDENTITIES, 0), []))
        while any(self._unread[JOURNAL, p] for p in range(len(self._journeys))):
            for partition, journey in enumerate(self._journeys):
                records = self._unread.pop((JOURNAL, partition), [])
                if records:
                    self._take(journey.decide(records), now)
                    journey.committed(MARK)

    def _take(self, outputs: Iterable[Output], now: int) -> None:
        for output in outputs:
            record = self._append(output, now)
            if output.topic in (LINKS, IDENTITIES, JOURNAL):
                self._unread[output.topic, output.partition].append(record)

    def _append(self, output: Output, now: int) -> Record:
        place = output.topic, output.partition
        record = Record(*place, self._ends[place], now, output.key, output.value, output.headers)
        self._ends[place] += 1
        self.log.add(record)
        return record
