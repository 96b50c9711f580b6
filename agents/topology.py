"""A topology: stages, each with what it reads, writes and keeps, and under which guarantee; and its validation.

The bus's own topology is in ``agents.stages``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Literal, TypeVar

from schemas.topics import Topic


class Process(StrEnum):
    """The kind of process in which a stage runs; each is a user of Kafka."""

    WORKER = "worker"
    SINK = "sink"
    COMMAND_LINE = "command line"
    DEPARTMENT = "department"


@dataclass(frozen=True, slots=True)
class Write:
    """A topic that a stage writes to, and what it writes there, in words."""

    topic: str
    what: str


@dataclass(frozen=True, slots=True)
class Transactions:
    """One transaction for each unit of work of an input partition n, with the transactional id ``<id>-<n>``.

    In it the stage records its progress, in partition ``first`` + n of the topic ``progress``.
    """

    id: str
    progress: str
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage. ``does``: its task in a few words. ``guarantee``: of delivery; ``by``: what ensures it.

    ``reads``: inputs, from the offsets of its ``group`` on. ``lookups``: tables that others write; each process of the
    stage reads all of them from their beginning, in no group. ``state``: compacted topics that hold its state and that
    nobody else writes; ``store`` is its local copy, where ``<n>`` stands for the number of an input partition.
    """

    name: str
    does: str
    process: Process
    guarantee: Literal["at least once", "exactly once"]
    by: str
    reads: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    writes: tuple[Write, ...] = ()
    store: str | None = None
    group: str | None = None
    transactions: Transactions | None = None

    @property
    def written(self) -> tuple[str, ...]:
        """The topics that the stage writes to."""
        return tuple([write.topic for write in self.writes])

    @property
    def kept(self) -> tuple[str, ...]:
        """The topics from which the stage restarts: its state, and its progress."""
        return (*self.state, *(() if self.transactions is None else (self.transactions.progress,)))

    @property
    def read(self) -> tuple[str, ...]:
        """All topics that the stage reads, for whatever reason."""
        return (*self.reads, *self.lookups, *self.kept)

    def store_of(self, partition: int = 0) -> str:
        """The name of the local store for this input partition, or of the one store for all partitions."""
        assert self.store is not None, "it keeps nothing"
        return self.store.replace("<n>", str(partition))


@dataclass(frozen=True, slots=True)
class Topology:
    """All stages, in the order in which an event passes them, over the ``topics`` of a bus.

    Raises ``ValueError`` for an invalid topology, with all that is wrong.
    """

    stages: tuple[Stage, ...]
    topics: tuple[Topic, ...]

    def __post_init__(self) -> None:
        found = [*flaws(self.stages, self.topics)]
        if found:
            raise ValueError("the topology can't work: " + "; ".join(found))

    def __getitem__(self, name: str) -> Stage:
        """The stage of this name. Raises ``KeyError``."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def of(self, process: Process) -> tuple[Stage, ...]:
        """The stages that run in processes of this kind."""
        return tuple([stage for stage in self.stages if stage.process is process])


def flaws(stages: Sequence[Stage], topics: Sequence[Topic]) -> Iterator[str]:
    """What is wrong with ``stages`` on these ``topics``, each in words."""
    yield from (f"two stages are called {name}" for name in _twice(stage.name for stage in stages))
    known = {topic.name: topic for topic in topics}
    for stage in stages:
        strange = sorted({*stage.read, *stage.written} - known.keys())
        yield from (f"{stage.name} uses {topic}, which is not in the catalogue" for topic in strange)
        if not strange:
            yield from _of_one(stage, known)
    yield from _of_all(stages, known)


def _of_one(stage: Stage, known: Mapping[str, Topic]) -> Iterator[str]:
    """What is wrong with a stage by itself."""
    for topic in _twice([*stage.read]) | _twice([*stage.written]):
        yield f"{stage.name} names {topic} twice"
    for topic in stage.kept:
        if topic not in stage.written:
            yield f"{stage.name} keeps its state on {topic}, and does not write it"
        if known[topic].cleanup != "compact":
            yield f"{stage.name} keeps its state on {topic}, which is not compacted"
    if stage.process is Process.WORKER and stage.reads and stage.group is None:
        yield f"{stage.name} runs in a worker and is in no group"
    if stage.guarantee == "exactly once" and stage.writes and stage.transactions is None:
        yield f"{stage.name} writes exactly once, and has no transactions"
    if stage.transactions is not None and len(stage.reads) != 1:
        yield f"{stage.name} has transactions, and not one input"


def _of_all(stages: Sequence[Stage], known: Mapping[str, Topic]) -> Iterator[str]:
    """What is wrong with the stages together."""
    read = {topic for stage in stages for topic in stage.read}
    writers = Counter(topic for stage in stages for topic in stage.written)
    yield from (f"nobody writes {topic}" for topic in known if not writers[topic])
    yield from (f"nobody reads {topic}" for topic in known if topic not in read)
    for stage in stages:
        others = [topic for topic in stage.state if writers[topic] > 1]
        yield from (f"{topic} is the state of {stage.name}, and others write it" for topic in others)
    members = [stage for stage in stages if stage.group is not None]
    for group, topic in _twice((stage.group, topic) for stage in members for topic in stage.reads):
        yield f"two stages of group {group} read {topic}"
    for name in _twice(stage.transactions.id for stage in stages if stage.transactions is not None):
        yield f"two stages have the transactional id {name}"
    yield from _progress_flaws(stages, known)


def _progress_flaws(stages: Sequence[Stage], known: Mapping[str, Topic]) -> Iterator[str]:
    """Checks that each input partition has one partition for its progress, and each of these belongs to one input."""
    places: Counter[tuple[str, int]] = Counter()
    for stage in stages:
        if (transactions := stage.transactions) is not None:
            inputs = sum(known[topic].partitions for topic in stage.reads if topic in known)
            places.update((transactions.progress, transactions.first + number) for number in range(inputs))
    wanted = {(topic, number) for topic, _ in places if topic in known for number in range(known[topic].partitions)}
    wrong = [one for one in sorted(places.keys() | wanted) if places[one] != 1 or one not in wanted]
    for _, run in groupby(enumerate(wrong), lambda at: (at[1][0], at[1][1] - at[0], places[at[1]])):
        together = [one for _, one in run]
        (topic, first), (_, last) = together[0], together[-1]
        which = f"partition {first} of {topic} is" if first == last else f"partitions {first} to {last} of {topic} are"
        yield f"{which} for the progress of {places[topic, first]} input partitions"


_Name = TypeVar("_Name", bound=Hashable)


def _twice(names: Iterable[_Name]) -> set[_Name]:
    return {name for name, count in Counter(names).items() if count > 1}
