"""Creates the bus's topics on a cluster, and reports how they are set up.

The admin client is imported when it is needed: a worker needs none, and it costs 20 MB of memory.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from runtime.problems import Code
from schemas.topics import IDENTITIES, JOURNAL, PROFILES, TIMELINE, Topic

PATIENCE = 30.0
"""Seconds to wait for a cluster to answer, and for new topics to have leaders."""


class ClusterAway(Exception):
    """The cluster could not be reached, or became unreachable meanwhile."""

    exit_code = Code.AWAY

    def __init__(self, bootstrap: str) -> None:
        super().__init__(f"No Kafka answers at {bootstrap}. Is it running, and is CXBUS_BOOTSTRAP right?")


class PartitionsDiffer(Exception):
    """A topic exists with another number of partitions. It can't be changed: customers would move to other
    partitions.
    """

    exit_code = Code.USAGE

    def __init__(self, topic: str, there: int, wanted: int) -> None:
        super().__init__(
            f"{topic} has {there} partitions, but {wanted} are wanted. The number is fixed once a topic exists: "
            f"set CXBUS_PARTITIONS to what the topics have, or use another cluster."
        )
        self.topic = topic
        self.there = there
        self.wanted = wanted


class TopicRefused(Exception):
    """The cluster did not create a topic, or found no leader for it. The message has the reason."""

    exit_code = Code.AWAY


@dataclass(frozen=True, slots=True)
class TopicChange:
    """What ``apply`` did to a topic, or found different and left unchanged."""

    topic: str
    kind: Literal["created", "differs"]
    words: str

    def __str__(self) -> str:
        return f"{self.topic} {self.words}"


@dataclass(frozen=True, slots=True)
class TopicStatus:
    """A topic of the catalogue as it is on a cluster."""

    topic: Topic
    exists: bool
    partitions: int
    differences: tuple[str, ...]
    """Each in words; empty if the topic is as the catalogue wants it."""
    offsets: tuple[tuple[int, int], ...]
    """Begin and end of each partition; transaction markers and compacted records are counted in between."""

    @property
    def records(self) -> int:
        """How many records there are at most."""
        return sum(end - begin for begin, end in self.offsets)


def replication(bootstrap: str) -> int:
    """The replication factor of a topic on this cluster: three, or its number of brokers. Raises ``ClusterAway``.

    A broker that is down is not listed, but the topics' replicas name it: topics made meanwhile must not have fewer
    copies.
    """
    with _admin(bootstrap) as admin:
        living = [broker["broker_id"] for broker in admin.describe_cluster()["brokers"]]
        there = admin.describe_topics([JOURNAL, TIMELINE, PROFILES, IDENTITIES])
    return copies(living, (one["replica_nodes"] for topic in there for one in topic["partitions"]))


def copies(living: Iterable[int], replicas: Iterable[Sequence[int]]) -> int:
    """Three, or the number of brokers: those that live, and those that hold ``replicas``."""
    return min(3, len({*living, *chain.from_iterable(replicas)}))


def apply(bootstrap: str, topics: Sequence[Topic]) -> list[TopicChange]:
    """Creates missing topics and waits until all have leaders; reports other settings, but leaves them.

    Can be repeated, also concurrently. Raises ``PartitionsDiffer`` before anything is created, ``TopicRefused`` and
    ``ClusterAway``.
    """
    with _admin(bootstrap) as admin:
        there = _partitions(admin, topics)
        missing = [topic for topic in topics if topic.name not in there]
        created = _create(admin, missing) if missing else []
        _wait(admin, topics)
        if missing:
            _partitions(admin, missing)  # a concurrent apply may have created them with other numbers
        differing = [
            TopicChange(standing.topic.name, "differs", words)
            for standing in _standings(admin, topics)
            for words in standing.differences
        ]
        return created + differing


def list_topics(bootstrap: str, topics: Sequence[Topic]) -> tuple[TopicStatus, ...]:
    """How each of ``topics`` is set up on the cluster. Raises ``ClusterAway``."""
    with _admin(bootstrap) as admin:
        return _standings(admin, topics)


def _partitions(admin: Any, topics: Sequence[Topic]) -> dict[str, list[dict[str, Any]]]:
    """The partitions of those topics that exist. Raises ``PartitionsDiffer``."""
    there = _existing(admin, topics)
    for topic in topics:
        if topic.name in there and len(there[topic.name]) != topic.partitions:
            raise PartitionsDiffer(topic.name, len(there[topic.name]), topic.partitions)
    return there


def _existing(admin: Any, topics: Sequence[Topic]) -> dict[str, list[dict[str, Any]]]:
    found = admin.describe_topics([topic.name for topic in topics])
    return {topic["name"]: topic["partitions"] for topic in found if topic["error_code"] == 0}


def _create(admin: Any, topics: Sequence[Topic]) -> list[TopicChange]:
    from kafka.errors import TopicAlreadyExistsError, for_code

    wanted = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": topic.replication,
            "configs": topic.config,
        }
        for topic in topics
    }
    answers = {answer["name"]: answer for answer in admin.create_topics(wanted, raise_errors=False)["topics"]}
    changes = []
    for topic in topics:
        code = answers[topic.name]["error_code"]
        if code == 0:
            partitions = _in_words(topic.partitions, "partition")
            changes.append(TopicChange(topic.name, "created", f"created with {partitions}"))
        elif code != TopicAlreadyExistsError.errno:  # else a concurrent apply created it
            reason = answers[topic.name]["error_message"] or for_code(code).__name__
            raise TopicRefused(f"The cluster did not create {topic.name}: {reason}")
    return changes


def _wait(admin: Any, topics: Sequence[Topic]) -> None:
    from kafka.errors import KafkaTimeoutError

    try:
        admin.wait_for_topics([topic.name for topic in topics], timeout_ms=int(PATIENCE * 1000))
    except KafkaTimeoutError as failure:
        raise TopicRefused(f"Some topics have no leader after {PATIENCE:.0f} s: {failure}") from failure


def _standings(admin: Any, topics: Sequence[Topic]) -> tuple[TopicStatus, ...]:
    there = _existing(admin, topics)
    settings = _settings(admin, list(there))
    offsets = _offsets(admin, {name: len(partitions) for name, partitions in there.items()})
    return tuple(
        TopicStatus(
            topic=topic,
            exists=topic.name in there,
            partitions=len(there.get(topic.name, ())),
            differences=tuple(_differences(topic, there.get(topic.name), settings.get(topic.name, {}))),
            offsets=offsets.get(topic.name, ()),
        )
        for topic in topics
    )


def _differences(
    topic: Topic, partitions: Sequence[Mapping[str, Any]] | None, settings: Mapping[str, str]
) -> Iterator[str]:
    if partitions is None:
        yield "does not exist"
        return
    if len(partitions) != topic.partitions:
        yield f"has {_in_words(len(partitions), 'partition')} instead of {topic.partitions}"
    copies = min(len(partition["replica_nodes"]) for partition in partitions)
    if copies != topic.replication:
        yield f"has {_in_words(copies, 'replica')} instead of {topic.replication}"
    for name, wanted in topic.config.items():
        found = settings.get(name)
        if found != wanted:
            yield f"has {name}={found} instead of {wanted}"


def _in_words(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _settings(admin: Any, names: Sequence[str]) -> dict[str, dict[str, str]]:
    from kafka.admin import ConfigResource, ConfigResourceType

    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = admin.describe_configs(asked, config_filter="all")["topic"]
    return {name: {key: setting["value"] for key, setting in found[name].items()} for name in names}


def _offsets(admin: Any, partitions: Mapping[str, int]) -> dict[str, tuple[tuple[int, int], ...]]:
    from kafka.admin import OffsetSpec
    from kafka.structs import TopicPartition

    all_of_them = [TopicPartition(name, number) for name, count in partitions.items() for number in range(count)]
    begins = admin.list_partition_offsets(dict.fromkeys(all_of_them, OffsetSpec.EARLIEST))
    ends = admin.list_partition_offsets(dict.fromkeys(all_of_them, OffsetSpec.LATEST))
    return {
        name: tuple(
            (begins[TopicPartition(name, number)].offset, ends[TopicPartition(name, number)].offset)
            for number in range(count)
        )
        for name, count in partitions.items()
    }


@contextmanager
def _admin(bootstrap: str) -> Iterator[Any]:
    """An admin client. Raises ``ClusterAway``, also from inside the block."""
    from kafka.admin import KafkaAdminClient
    from kafka.errors import RetriableError

    # Checked first, as the client leaves a thread and open sockets behind when nobody answers.
    _wait_for_a_broker(bootstrap)
    try:
        with KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=int(PATIENCE * 1000)) as admin:
            yield admin
    except RetriableError as failure:
        raise ClusterAway(bootstrap) from failure


def _wait_for_a_broker(bootstrap: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        for server in bootstrap.split(","):
            host, _, port = server.strip().rpartition(":")
            try:
                socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
                return
            except OSError:
                continue
        if time.monotonic() > until:
            raise ClusterAway(bootstrap)
        time.sleep(0.2)
