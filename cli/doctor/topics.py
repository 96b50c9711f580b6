"""Checks whether topics are as the catalogue says, and whether their partitions can now be read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.topics import Topic

from ..words import count, listed
from .brokers import span
from .finding import Finding, Verdict, ok, warning, wrong
from .remedy import Commands

INTERNAL = ("__consumer_offsets", "__transaction_state")
"""Kafka's own topics, on which exactly-once processing depends. Kafka creates them when they are first needed."""

APPLY = "cxbus topics apply"


@dataclass(frozen=True, slots=True)
class PartitionView:
    """A partition's brokers, by id; ``leader`` is None while there is none."""

    leader: int | None
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TopicView:
    """An existing topic, as the cluster describes it."""

    partitions: Mapping[int, PartitionView]
    settings: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Consequence:
    """The effect of a value that differs; ``harmless`` is the direction of difference that breaks no guarantee."""

    why: str
    harmless: Literal["more", "less", "none"] = "none"


MEANINGS: Mapping[str, Consequence] = {
    "cleanup.policy": Consequence(
        "Kafka would delete records that the bus needs, or keep records that must be deleted"
    ),
    "message.timestamp.type": Consequence("the bus's clock is the broker's append time, and records expire by it"),
    "max.message.bytes": Consequence("Kafka would refuse the largest records of the bus", "more"),
    "segment.ms": Consequence("Kafka deletes or compacts old records later than promised", "less"),
    "min.insync.replicas": Consequence("the loss of one broker may lose acknowledged records, or stop writes"),
    "retention.ms": Consequence("a bus that is stopped for longer loses records that it has not read", "more"),
    "max.compaction.lag.ms": Consequence("deleted data stays on disk for longer than promised", "less"),
    "delete.retention.ms": Consequence("a consumer that is stopped for longer misses tombstones", "more"),
    "retention.bytes": Consequence("Kafka deletes records by size, however new they are"),
    "unclean.leader.election.enable": Consequence(
        "a replica that is not in sync may become the leader, and records are lost"
    ),
}


def judge(
    topics: Sequence[Topic], seen: Mapping[str, TopicView], nodes: Sequence[int], commands: Commands
) -> list[Finding]:
    """``seen``: the existing topics, Kafka's own included. ``nodes``: all brokers."""
    missing = [topic.name for topic in topics if topic.name not in seen]
    there = [topic for topic in topics if topic.name in seen]
    ill = [finding for topic in there for finding in _topic(topic, seen[topic.name], nodes, commands)]
    copies = min(3, len(nodes))
    ill += [
        finding
        for name in INTERNAL
        if name in seen
        for finding in (*_own(name, seen[name], copies, commands, nodes), *_standing(name, seen[name], 1))
    ]
    well = len(there) - len({finding.check for finding in ill} & {topic.name for topic in there})
    return [
        *([ok("topics", f"{well} of {len(topics)} are as the bus needs them")] if well else []),
        *(
            [wrong("topics", f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing", APPLY)]
            if missing
            else []
        ),
        *ill,
    ]


def _topic(topic: Topic, seen: TopicView, nodes: Sequence[int], commands: Commands) -> Iterator[Finding]:
    yield from _partitions(topic, seen)
    yield from _copies(topic, seen, nodes, commands)
    yield from _settings(topic, seen, commands)
    yield from _standing(topic.name, seen, int(seen.settings.get("min.insync.replicas") or 1))


def _partitions(topic: Topic, seen: TopicView) -> Iterator[Finding]:
    there = len(seen.partitions)
    if there != topic.partitions:
        yield wrong(
            topic.name,
            f"has {count(there, 'partition')} instead of {topic.partitions}. The number must not change once "
            "a topic exists: customers would move to partitions that lack their state",
            f"If all topics keyed by customer have {there}: set CXBUS_PARTITIONS={there} for every process.",
            f"If nothing was ever published to {topic.name}: stop the bus, delete the topic, cxbus topics apply.",
            "Else use another cluster.",
        )


def _copies(topic: Topic, seen: TopicView, nodes: Sequence[int], commands: Commands) -> Iterator[Finding]:
    fewest = min(len(partition.replicas) for partition in seen.partitions.values())
    found = f"has {count(fewest, 'replica')} instead of {topic.replication}"
    if fewest > topic.replication:
        yield warning(topic.name, found, f"If that is intended: set CXBUS_REPLICATION={fewest}.")
    elif fewest < topic.replication and topic.replication > len(nodes):
        yield wrong(
            topic.name,
            found,
            f"Run {topic.replication} brokers, or set CXBUS_REPLICATION={len(nodes)}: there are {len(nodes)}.",
        )
    elif fewest < topic.replication:
        moves = {number: _spread(one.replicas, nodes, topic.replication) for number, one in seen.partitions.items()}
        yield wrong(topic.name, f"{found}: the loss of brokers may lose its records", *commands.move(topic.name, moves))


def _spread(replicas: Sequence[int], nodes: Sequence[int], copies: int) -> list[int]:
    """``copies`` brokers for a partition: those that have it, then those that follow the last of them by id."""
    ring = sorted(nodes)
    start = ring.index(replicas[-1]) + 1 if replicas and replicas[-1] in ring else 0
    others = [node for node in ring[start:] + ring[:start] if node not in replicas]
    return [*replicas, *others][:copies]


def _settings(topic: Topic, seen: TopicView, commands: Commands) -> Iterator[Finding]:
    if not seen.settings:
        yield warning(topic.name, "does not show its settings", "Allow this user DESCRIBE_CONFIGS on the bus's topics.")
        return
    wanted = {**topic.config, "unclean.leader.election.enable": "false"}
    if topic.cleanup == "delete":
        wanted["retention.bytes"] = "-1"
    for name, value in wanted.items():
        there = seen.settings.get(name)
        if there != value:
            meaning = MEANINGS.get(name, Consequence("the bus relies on it"))
            verdict = Verdict.WARNING if _harmless(meaning, there, value) else Verdict.WRONG
            instead = f"has {name}={_readable(name, there)} instead of {_readable(name, value)}"
            why = meaning.why if verdict is Verdict.WRONG else "harmless to the bus, but not what was promised"
            command = commands.set_topic(topic.name, name, value)
            yield Finding(topic.name, verdict, f"{instead}: {why}", (command,))


def _harmless(meaning: Consequence, there: str | None, wanted: str) -> bool:
    """Whether ``there`` differs in the harmless direction. -1 means "without limit"."""
    if meaning.harmless == "none" or there is None:
        return False
    more = int(there) == -1 or int(there) > int(wanted)
    return more == (meaning.harmless == "more")


def _readable(name: str, value: str | None) -> str:
    if value is None or not name.endswith(".ms") or int(value) < 1000:
        return str(value)
    return f"{value} ({span(int(value))})"


def _own(name: str, seen: TopicView, copies: int, commands: Commands, nodes: Sequence[int]) -> Iterator[Finding]:
    fewest = min(len(partition.replicas) for partition in seen.partitions.values())
    if fewest < copies:
        moves = {number: _spread(one.replicas, nodes, copies) for number, one in seen.partitions.items()}
        yield warning(
            name,
            f"has {count(fewest, 'replica')}, and there are {len(nodes)} brokers: the loss of one stops the bus",
            *commands.move(name, moves),
        )


def _standing(name: str, seen: TopicView, least: int) -> Iterator[Finding]:
    """Checks the current state of the partitions; a write needs ``least`` in-sync replicas."""
    headless = [number for number, one in seen.partitions.items() if one.leader is None]
    # A topic with fewer than ``least`` replicas in all is reported by ``_copies``.
    few = [
        n for n, one in seen.partitions.items() if n not in headless and len(one.in_sync) < least <= len(one.replicas)
    ]
    behind = [
        n
        for n, one in seen.partitions.items()
        if n not in headless and n not in few and len(one.in_sync) < len(one.replicas)
    ]
    if headless:
        yield wrong(
            name, f"{_these(headless)} can't be read or written: no broker is the leader", _start(seen, headless)
        )
    if few:
        yield wrong(
            name,
            f"{_these(few)} can't be written: min.insync.replicas={least}, and fewer replicas are in sync",
            _start(seen, few),
        )
    if behind:
        yield warning(name, f"{_these(behind)}: a replica is not in sync", _start(seen, behind))


def _these(numbers: Sequence[int]) -> str:
    names = listed([str(number) for number in sorted(numbers)])
    return f"partition {names}" if len(numbers) == 1 else f"partitions {names}"


def _start(seen: TopicView, numbers: Sequence[int]) -> str:
    missing = sorted(
        {node for n in numbers for node in seen.partitions[n].replicas if node not in seen.partitions[n].in_sync}
        or {node for n in numbers for node in seen.partitions[n].replicas}
    )
    return f"Check broker {listed([str(node) for node in missing])}: start it if it is down, wait if it is catching up."
