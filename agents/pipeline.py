"""The bus without Kafka: records in, records out, through the stages that a worker runs, on their local stores.

For authors of rules, tests and benchmarks. A list for each partition of each topic takes the place of Kafka. It holds
what a reader of the topic would get: offsets, broker time, headers, and the mark of the bus's own records. The caller
sets the brokers' clocks, the order in which the stages work and how their input is cut into batches, or leaves that to
``run``.

Not here: transactions, the progress topic, and anything driven by a clock.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Literal, NamedTuple, Self

from prometheus_client import CollectorRegistry

from core.identity.fuse import LINKS_A_DAY
from core.rules.ruleset import RuleSet
from engine.kafka.checkpoint import Checkpoint
from engine.kafka.cluster import Cluster
from engine.kafka.record import KafkaRecord, Record
from engine.kafka.sieve import Sieve
from engine.transactional.partition_state import Processor
from engine.transactional.transaction import Output, headers_of
from engine.transactional.unit import decided
from schemas.codec import Codec
from schemas.journal import Header
from schemas.registry import Registry
from schemas.topics import IDENTITIES, JOURNAL, LINKS, events_topic

from .directory import Directory
from .identifiers import Identifiers
from .intake import Intake
from .journey import Journey
from .metrics import Metrics
from .resolver import Resolver
from .rule_files import BUILT_IN, load
from .vocabulary import vocabulary

Place = tuple[str, int]
"""Topic and partition."""

StageName = Literal["intake", "resolver", "directory", "journey"]
"""The directory is a part of intake: it tails the identities that the resolver writes."""


class UnknownPlace(ValueError):
    """There is no such topic on this bus, or the topic has no such partition. The message lists those that exist."""


class Input(NamedTuple):
    """An input partition of one stage."""

    stage: StageName
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """The configuration of a bus. ``partitions``: of the topics keyed by customer. ``links_a_day``: see ``Resolver``.

    ``directory``: makes the directory from a bootstrap (nothing connects to it), the identifiers and a folder.
    """

    rules: RuleSet
    identifiers: Identifiers
    registry: Registry
    codec: Codec
    partitions: int = 1
    links_a_day: int = LINKS_A_DAY
    directory: Callable[[str, Identifiers, Path], Directory] = Directory

    @classmethod
    def of(cls, folder: Path = BUILT_IN) -> PipelineConfig:
        """The configuration with the rules of a folder and all departments; the key that hashes identifiers is no
        secret.

        Raises ``core.rules.reading.RuleError``.
        """
        registry = Registry.discover()
        rules = load(folder, vocabulary(registry), registry.outreach)
        return cls(rules, Identifiers(bytes(16)), registry, Codec(registry))


class Pipeline:
    """One bus: intake, its directory, the resolver, and a journey for each partition of the journal.

    A stage is created when it is first needed, in a new folder below ``home``, or below a temporary one that is deleted
    with the pipeline. ``logs``: all records by topic and partition, in order. ``clock``: the latest broker time so far
    (ms). ``metrics``: of all stages together.
    """

    def __init__(self, config: PipelineConfig, home: Path | None = None) -> None:
        self.config = config
        self.clock = 0
        self.logs: dict[Place, list[Record]] = {}
        self.metrics = Metrics(CollectorRegistry())
        self._sizes = {topic.name: topic.partitions for topic in config.registry.topics(config.partitions, 1)}
        self._positions: dict[Input, int] = {}
        self._resolver: Resolver | None = None
        self._journeys: dict[int, Journey] = {}
        self._lost: dict[Place, int] = {}
        """By stage and partition, how many stores earlier owners have left behind."""
        self._cleanup = ExitStack()
        self._home = home or Path(self._cleanup.enter_context(tempfile.TemporaryDirectory()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Releases the stores."""
        if self._resolver is not None:
            self._resolver.close()
        for journey in self._journeys.values():
            journey.close()
        self._resolver, self._journeys = None, {}
        self._cleanup.close()

    # --- the stages -------------------------------------------------------------------------------------------------

    @cached_property
    def directory(self) -> Directory:
        """Intake's copy of which identifier belongs to which customer."""
        made = self.config.directory("", self.config.identifiers, self._home / "directory")
        self._cleanup.callback(made.close)
        return made

    @cached_property
    def intake(self) -> Intake:
        """The one intake of all department topics. It is never started."""
        config = self.config
        return Intake(config.codec, config.identifiers, self.directory, config.partitions, "", self.metrics)

    @property
    def resolver(self) -> Resolver:
        """The current owner of the links log."""
        if self._resolver is None:
            parts = self.config.partitions, self.config.identifiers, self._store("resolver", 0), self.metrics
            self._resolver = Resolver(0, *parts, self.config.links_a_day)
        return self._resolver

    def journey(self, partition: int = 0) -> Journey:
        """The current owner of a partition of the journal."""
        if partition not in self._journeys:
            config, store = self.config, self._store("journey", partition)
            parts = config.partitions, config.rules, config.identifiers, store, self.metrics
            self._journeys[partition] = Journey(partition, *parts)
        return self._journeys[partition]

    # --- records ----------------------------------------------------------------------------------------------------

    def publish(
        self,
        department: str,
        value: bytes | None,
        at: int,
        *,
        key: bytes | None = None,
        headers: Iterable[Header] = (),
        partition: int = 0,
    ) -> Record:
        """Publishes a department's record, which the broker appends at ``at`` (ms). Raises ``UnknownPlace``."""
        output = Output(events_topic(department), partition, key, value, tuple(headers), marked=False)
        (record,) = self.write([output], at)
        return record

    def write(self, outputs: Iterable[Output], at: int | None = None) -> list[Record]:
        """Appends records at ``at`` (ms) or the clock's time. Raises ``UnknownPlace``."""
        if at is None:
            at = self.clock
        self.clock = max(self.clock, at)
        return [self._append(output, at) for output in outputs]

    def log(self, topic: str, partition: int = 0) -> Sequence[Record]:
        """The records of one partition, in their order. Raises ``UnknownPlace``."""
        self._check(topic, partition)
        return self.logs.get((topic, partition), [])

    def records(self, topic: str) -> list[Record]:
        """All records of a topic, in the order of the brokers' time. Raises ``UnknownPlace``."""
        return sorted(self._by_offset(topic), key=attrgetter("timestamp"))

    def latest(self, topic: str) -> dict[bytes | None, Record]:
        """What compaction would leave of a topic, by key: the last record unless it is a tombstone."""
        last = {record.key: record for record in self._by_offset(topic)}  # brokers' clocks may go back
        return {key: record for key, record in last.items() if record.value is not None}

    def _by_offset(self, topic: str) -> Iterator[Record]:
        """All records of a topic, one partition after the other."""
        self._check(topic, 0)
        return chain.from_iterable(self.log(topic, partition) for partition in range(self._sizes[topic]))

    def _append(self, output: Output, at: int) -> Record:
        topic, partition = output.topic, output.partition
        self._check(topic, partition)
        log = self.logs.setdefault((topic, partition), [])
        record = Record(topic, partition, len(log), at, output.key, output.value, tuple(headers_of(output)))
        log.append(record)
        return record

    def _check(self, topic: str, partition: int) -> None:
        if topic not in self._sizes:
            raise UnknownPlace(f"{topic} is not a topic of this bus; its topics are {', '.join(self._sizes)}")
        if not 0 <= partition < self._sizes[topic]:
            raise UnknownPlace(f"{topic} has partitions from 0 to {self._sizes[topic] - 1}, and no {partition}")

    # --- work -------------------------------------------------------------------------------------------------------

    def behind(self) -> list[Input]:
        """The inputs with unread records, in the order of the stages."""
        return [one for one in self._inputs() if self.position(one) < len(self.logs.get(one[1:], ()))]

    def position(self, of: Input) -> int:
        """The offset that the stage reads next."""
        return self._positions.get(of, 0)

    def take(self, of: Input, most: int | None = None, *, committed: bool = True) -> list[Output]:
        """One unit of work, of all unread records or the first ``most``; returns its outputs, which are not written
        yet.

        If it is not ``committed``, the stage reads the same records again: intake as after a crash, when its outputs
        may be written already; an owner of a partition as after an abort, which voids its outputs. Raises the errors
        that end a worker: ``engine.kafka.errors.Fatal``.
        """
        start, log = self.position(of), self.logs.get(of[1:], [])
        batch = log[start:] if most is None else log[start : start + most]
        if not batch:
            return []
        if committed:
            self._positions[of] = start + len(batch)
        if of.stage == "intake":
            return self.intake.route(batch)
        sieve = Sieve(batch)
        if of.stage == "directory":
            self.directory.learn(list(sieve))
            return []
        owner = self.resolver if of.stage == "resolver" else self.journey(of.partition)
        outputs = self.unit(owner, sieve, committed=committed)
        return [*outputs, *owner.foreign(sieve.foreign)] if sieve.foreign else outputs

    def unit(self, owner: Processor, records: Iterable[KafkaRecord], *, committed: bool = True) -> list[Output]:
        """One unit of work of ``owner`` on any records, wherever they are from; a careful one if a decision fails."""
        outputs = decided(owner, list(records))
        if committed:
            owner.committed(self.mark(owner))
        return outputs

    def run(self, most: int | None = None) -> list[Record]:
        """Runs all stages until nothing is unread, ``most`` records to a unit of work; returns what they wrote.

        Intake goes first, and takes what departments published in the order of broker time.
        """
        return list(self._written(most))

    def _written(self, most: int | None) -> Iterator[Record]:
        while behind := self.behind():
            if behind[0].stage == "intake":
                yield from self.write(self._route([one for one in behind if one.stage == "intake"]))
            else:
                yield from self.write(self.take(behind[0], most))

    def _route(self, inputs: Sequence[Input]) -> list[Output]:
        unread = [self.logs[one[1:]][self.position(one) :] for one in inputs]
        self._positions |= {one: len(self.logs[one[1:]]) for one in inputs}
        return self.intake.route(sorted(chain.from_iterable(unread), key=attrgetter("timestamp")))

    def _inputs(self) -> Iterator[Input]:
        for topic, partition in list(self.logs):
            if topic.endswith(".events.v1"):
                yield Input("intake", topic, partition)
        yield Input("resolver", LINKS, 0)
        yield Input("directory", IDENTITIES, 0)
        for partition in range(self.config.partitions):
            yield Input("journey", JOURNAL, partition)

    # --- owners come and go -----------------------------------------------------------------------------------------

    def restart(
        self, stage: Literal["resolver", "journey"], partition: int = 0, *, keep_store: bool = False
    ) -> list[KafkaRecord]:
        """Gives the partition a new owner, which restores what was written, from the last owner's store if that is
        kept.

        Returns the foreign records: a worker skips them and writes dead letters about them. Raises
        ``engine.kafka.errors.Fatal``.
        """
        owner = self._succeed(stage, partition, keep_store=keep_store)
        mark = owner.checkpoint()
        known = {} if mark is None else mark.offsets
        others: list[KafkaRecord] = []
        for source in owner.sources():
            sieve = Sieve(self.logs.get(tuple(source), [])[known.get(source, 0) :])
            others += owner.restore(list(sieve))
            others += sieve.foreign
        owner.opened(self.mark(owner))
        return others

    def _succeed(self, stage: Literal["resolver", "journey"], partition: int, *, keep_store: bool) -> Processor:
        """Creates the new owner of a partition, in the folder of the last one or a new one."""
        place = stage, partition
        if not keep_store:
            self._lost[place] = self._lost.get(place, 0) + 1
        if stage == "resolver":
            self.resolver.close()
            self._resolver = None
            return self.resolver
        self.journey(partition).close()
        del self._journeys[partition]
        return self.journey(partition)

    def _store(self, stage: str, partition: int) -> Path:
        return self._home / f"{stage}-{partition}-{self._lost.get((stage, partition), 0)}"

    def mark(self, owner: Processor) -> Checkpoint:
        """A checkpoint of all that is written now: a unit's own outputs come after it, and are restored again."""
        offsets = {source: len(self.logs.get(tuple(source), ())) for source in owner.sources()}
        return Checkpoint(_CLUSTER, offsets, 0.0)


_CLUSTER = Cluster("", {})
"""The cluster id of all pipelines: nothing compares their topics with others."""
