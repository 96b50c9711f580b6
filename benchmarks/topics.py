"""The topics of a benchmark: made before a round and removed after it, so that no round finds another's records."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import UnknownTopicOrPartitionError

from agents.topic_admin import apply
from schemas.alerted import ALERTED
from schemas.topics import IDENTITIES, Topic, catalogue, events_topic

from .traffic import DEPARTMENTS

PATIENCE = 60.0
"""Seconds for the cluster to have forgotten a topic."""

INPUTS = tuple(events_topic(name) for name in DEPARTMENTS)
PREFIX = "cx."
PEERS = ("journal", "timeline", "profiles", "alerts", "dead")
COMPACTED = ("timeline", "profiles")


class ClusterInUse(Exception):
    """The cluster has a bus, which the benchmark would erase."""


@dataclass(frozen=True, slots=True)
class Stamped(Topic):
    """A department topic that keeps the publication time that the benchmark gives: a backlog of days in seconds."""

    @property
    def config(self) -> Mapping[str, str]:
        """As the bus wants it but for the time."""
        # No super() without arguments: a class with slots is another one than that in which the method stands.
        return {**Topic.config.__get__(self), "message.timestamp.type": "CreateTime"}


class Topics:
    """What is done to the cluster's topics. ``others``: departments that publish nothing here, but have a topic."""

    def __init__(self, bootstrap: str, partitions: int, others: Sequence[str] = ("web", "social")) -> None:
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._bus = catalogue((*DEPARTMENTS, *others), partitions, 1, ALERTED)

    def check_empty(self) -> None:
        """Raises ``ClusterInUse``."""
        if found := self.of_bus():
            raise ClusterInUse(
                f"The cluster at {self._bootstrap} has {found[0]} and {len(found) - 1} more topics of a bus. The "
                "benchmark erases them between its rounds: give it a Kafka of its own, or delete them."
            )

    def input(self) -> None:
        """The departments' topics, empty."""
        self._anew([_stamped(topic) for topic in self._bus if topic.name in INPUTS])

    def identities(self) -> None:
        """Where the bus's customers are made known, empty."""
        self._anew([topic for topic in self._bus if topic.name == IDENTITIES])

    def bus(self) -> None:
        """All other topics that the bus itself writes, empty."""
        self._anew([topic for topic in self._bus if topic.name not in (*INPUTS, IDENTITIES)])

    def peer(self, prefix: str) -> None:
        """``<prefix>.journal`` and so on."""
        apply(
            self._bootstrap,
            [
                Topic(
                    f"{prefix}.{name}",
                    1 if name == "dead" else self._partitions,
                    1,
                    "compact" if name in COMPACTED else "delete",
                    2 * 1024 * 1024,
                )
                for name in PEERS
            ],
        )

    def of_bus(self) -> list[str]:
        """All topics that a bus has on the cluster."""
        with _admin(self._bootstrap) as admin:
            return sorted(name for name in admin.list_topics() if name.startswith(PREFIX))

    def of_round(self, prefix: str) -> list[str]:
        """The topics of one round, also where a library puts words of its own before the prefix."""
        with _admin(self._bootstrap) as admin:
            return sorted(name for name in admin.list_topics() if prefix in name)

    def remove(self, names: Sequence[str]) -> None:
        """Returns when the cluster knows them no more. Raises ``TimeoutError``."""
        with _admin(self._bootstrap) as admin:
            there = set(admin.list_topics())
            for name in there & set(names):
                try:
                    admin.delete_topics([name])
                except UnknownTopicOrPartitionError:
                    continue  # its library was quicker
            end = time.monotonic() + PATIENCE
            while left := set(admin.list_topics()) & set(names):
                if time.monotonic() > end:
                    raise TimeoutError(f"the cluster does not delete {', '.join(sorted(left))}")
                time.sleep(0.1)

    def _anew(self, topics: Sequence[Topic]) -> None:
        self.remove([topic.name for topic in topics])
        apply(self._bootstrap, topics)


def partitions_of(bootstrap: str, topics: Iterable[str]) -> list[TopicPartition]:
    """All partitions of those topics that exist."""
    with _admin(bootstrap) as admin:
        found = admin.describe_topics(list(topics))
    return [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in found
        for partition in topic["partitions"]
        if topic["error_code"] == 0
    ]


def _stamped(topic: Topic) -> Stamped:
    return Stamped(topic.name, topic.partitions, topic.replication, topic.cleanup, topic.max_bytes)


@contextmanager
def _admin(bootstrap: str) -> Iterator[Any]:
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        yield admin
