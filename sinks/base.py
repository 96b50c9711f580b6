"""The port: what every sink does, and what passes through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from engine.kafka.copies import Log, Partition, Reached
from engine.kafka.record import KafkaRecord
from runtime.problems import Code


class SinkUnavailable(Exception):
    """The database cannot be written just now (locked, full, away). The batch is kept: try again later."""

    exit_code = Code.AWAY


class SinkRefused(Exception):
    """The database must not be used; trying again does not help. The message tells a person what to do."""

    exit_code = Code.USAGE


class SinkLost(Exception):
    """The database that was opened is gone, or another one stands in its place. Opening it anew helps."""


class Kind(StrEnum):
    """What a topic holds."""

    TIMELINE = "timeline"
    PROFILES = "profiles"
    ALERTS = "alerts"
    IDENTITIES = "identities"


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics that a sink copies. ``alerts`` maps each department to its topic."""

    timeline: str
    profiles: str
    identities: str
    alerts: Mapping[str, str]

    def kinds(self) -> dict[str, Kind]:
        """What each topic holds, by its name."""
        return {
            self.timeline: Kind.TIMELINE,
            self.profiles: Kind.PROFILES,
            self.identities: Kind.IDENTITIES,
            **dict.fromkeys(self.alerts.values(), Kind.ALERTS),
        }


@dataclass(frozen=True, slots=True)
class Flushed:
    """What one flush did. ``unreadable`` counts records that were passed over, by topic and reason."""

    records: int = 0
    unreadable: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Sink(Protocol):
    """A copy of topics in a database. Not thread-safe: one call at a time, from any thread.

    Every method but ``add`` and ``reached`` may raise ``SinkUnavailable``, ``SinkRefused`` and ``SinkLost``.
    """

    def attach(self, logs: Mapping[Partition, Log], now_ms: int) -> dict[Partition, int]:
        """Where to read on in each of these partitions.

        What the database cannot vouch for any more (``engine.kafka.copies``) is discarded first and read from the
        start. Needed before ``flush``: it tells of which logs the offsets are.
        """

    def positions(self) -> dict[Partition, int]:
        """The next offset of each partition, as the database has it."""

    def add(self, records: Sequence[KafkaRecord]) -> None:
        """Take records, in offset order for each partition. Nothing is written yet; known ones are harmless."""

    def reached(self, marks: Mapping[Partition, Reached]) -> None:
        """Say how far the reader is: past offsets that hold no record (markers, aborted ones), and up to when."""

    def flush(self) -> Flushed:
        """Write all that was taken, and the offsets, in one database transaction. When it fails, all of it is kept."""

    def close(self) -> None:
        """Let go of the database. What was not flushed is read again by the next sink."""
