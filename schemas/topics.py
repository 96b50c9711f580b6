"""The bus's topics: their names and their settings."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

LINKS = "cx.links.v1"
IDENTITIES = "cx.identities.v1"
JOURNAL = "cx.journal.v1"
TIMELINE = "cx.timeline.v1"
PROFILES = "cx.profiles.v1"
NOTIFIED = "cx.notified.v1"
DEAD = "cx.dead.v1"
PROGRESS = "cx.progress.v1"
KEY_RECORD = b"#key"
"""Key of the record on the identities topic that says with which identity key its hashes were made."""

DAY = 24 * 60 * 60 * 1000
MIB = 1024 * 1024


def events_topic(department: str) -> str:
    """The topic on which ``department`` publishes its events."""
    return f"cx.{department}.events.v1"


@cache
def department_of(topic: str) -> str:
    """The department of an events topic: ``sales`` of ``cx.sales.events.v1``."""
    return topic.split(".")[1]


@cache
def alerts_topic(department: str) -> str:
    """The topic on which ``department`` receives its alerts."""
    return f"cx.alerts.{department}.v1"


def partition_of(customer: str, partitions: int) -> int:
    """The partition of a customer, on every topic that is keyed by customer."""
    return zlib.crc32(customer.encode()) % partitions


@dataclass(frozen=True, slots=True)
class Topic:
    """The settings of a topic."""

    name: str
    partitions: int
    replication: int
    cleanup: Literal["delete", "compact"]
    max_bytes: int
    """Largest size of a batch of records."""

    @property
    def config(self) -> Mapping[str, str]:
        """All settings that the bus relies on, as Kafka names and writes them."""
        settings = {
            "cleanup.policy": self.cleanup,
            # The journal's clock is its append time; retention counts from arrival, whatever time a producer claims.
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": self.max_bytes,
            # Only whole closed segments are deleted or compacted: daily ones make "after 21 days" true to a day.
            "segment.ms": DAY,
            # With three replicas one broker may be down; with fewer there is no choice.
            "min.insync.replicas": 2 if self.replication >= 3 else 1,
        }
        if self.cleanup == "delete":
            settings["retention.ms"] = 21 * DAY
        else:
            settings["max.compaction.lag.ms"] = DAY
            settings["delete.retention.ms"] = 30 * DAY
        return {name: str(value) for name, value in settings.items()}


def catalogue(
    departments: Sequence[str], partitions: int, replication: int, alerted: Sequence[str]
) -> tuple[Topic, ...]:
    """All topics of a bus for these ``departments``; ``partitions`` is what department and customer topics have.

    ``alerted``: the departments that receive alerts.

    Links, identities and dead letters have one partition each: their order is the order of the whole bus.
    """

    def topic(name: str, count: int, cleanup: Literal["delete", "compact"], mebibytes: int = 2) -> Topic:
        return Topic(name, count, replication, cleanup, mebibytes * MIB)

    return (
        *(topic(events_topic(department), partitions, "delete", mebibytes=1) for department in departments),
        topic(LINKS, 1, "delete"),
        topic(IDENTITIES, 1, "compact"),
        topic(JOURNAL, partitions, "delete"),
        topic(TIMELINE, partitions, "compact"),
        topic(PROFILES, partitions, "compact"),
        topic(NOTIFIED, partitions, "compact"),
        topic(DEAD, 1, "delete"),
        topic(PROGRESS, partitions + 1, "compact"),  # the journey's partitions, then the resolver's
        # Never compacted: every alert of a customer counts, and personal data must be gone after 21 days.
        *(topic(alerts_topic(department), partitions, "delete") for department in alerted),
    )
