"""A perfect log: what a bus leaves of a business when nothing fails; and who knows what was published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from msgspec import structs

from agents.app import rules
from agents.identifiers import Identifiers
from agents.pipeline import Pipeline, PipelineConfig
from runtime.settings import Settings
from schemas.codec import Codec
from schemas.registry import Registry
from schemas.topics import department_of

from .business import Sent, business
from .checker import Problem
from .log import Log, Record
from .publication import Publication
from .verification import SAMPLE, Verifier

NOW = 1_772_409_600_000  # 2026-03-02T00:00Z, ms
EVENTS, CUSTOMERS, PARTITIONS = 1_000, 50, 2

REGISTRY = Registry.discover()
RULES = rules(Settings(), REGISTRY)
IDENTIFIERS = Identifiers(b"a key for the checker's tests")
CODEC = Codec(REGISTRY)


@dataclass(frozen=True, slots=True)
class World:
    """A business, and the perfect log that it left."""

    log: Log
    publication: Publication

    def copy(self) -> Log:
        """To be damaged."""
        records = {place: list(records) for place, records in self.log.records.items()}
        return Log(records, dict(self.log.profiles), self.log.profile_records)

    def judged(self, log: Log) -> list[Problem]:
        """What the checker finds."""
        return list(a_judge(sample=10).judge(log, self.publication))


def a_judge(sample: int = SAMPLE) -> Verifier:
    """Who knows what was published."""
    judge = Verifier(RULES, IDENTIFIERS, REGISTRY.publishers, PARTITIONS, sample)
    judge.expect(business(1, EVENTS, CUSTOMERS, NOW * 1000))
    return judge


def perfect(sent: Sequence[Sent], batch: int = 50) -> Log:
    """What a bus leaves when nothing fails. Everything is published in its order, so many records a second."""
    config = PipelineConfig(RULES, IDENTIFIERS, REGISTRY, CODEC, PARTITIONS)
    with Pipeline(config) as bus:
        for number, one in enumerate(sent):
            at = NOW + 1000 * (number // batch + 1)
            bus.publish(department_of(one.topic), one.value, at, key=one.key, headers=one.headers)
            if number % batch == batch - 1:
                bus.run()
        bus.run()
        log = Log()
        for record in chain.from_iterable(bus.logs.values()):
            log.add(Record(*structs.astuple(record)))
        return log
