"""The port of a sink: its methods, the values they take and return, and the errors they raise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from engine.kafka.copies import Log, PartitionKey, Reached
from engine.kafka.record import KafkaRecord
from runtime.problems import Code


class SinkUnavailable(Exception):
    """The database cannot be written at the moment (locked, full, unreachable). The batch is kept: try again later."""

    exit_code = Code.AWAY


class SinkRefused(Exception):
    """The database must not be used; a retry does not help. The message tells a person what to do."""

    exit_code = Code.USAGE


class SinkLost(Exception):
    """The database that was opened was removed or replaced. Opening it again helps."""


class TopicKind(StrEnum):
    """What a topic holds."""

    TIMELINE = "timeline"
    PROFILES = "profiles"
    ALERTS = "alerts"
    IDENTITIES = "identities"


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics that a sink copies. ``alerts`` maps each department to its alert topic."""

    timeline: str
    profiles: str
    identities: str
    alerts: Mapping[str, str]

    def kinds(self) -> dict[str, TopicKind]:
        """Topic name → what the topic holds."""
        return {
            self.timeline: TopicKind.TIMELINE,
            self.profiles: TopicKind.PROFILES,
            self.identities: TopicKind.IDENTITIES,
            **dict.fromkeys(self.alerts.values(), TopicKind.ALERTS),
        }


@dataclass(frozen=True, slots=True)
class Flushed:
    """What one flush wrote. ``unreadable`` counts the records that it skipped, by topic and reason."""

    records: int = 0
    unreadable: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Sink(Protocol):
    """A copy of topics in a database. Not thread-safe: one call at a time, from any thread.

    Every method but ``add`` and ``reached`` may raise ``SinkUnavailable``, ``SinkRefused`` and ``SinkLost``.
    """

    def attach(self, logs: Mapping[PartitionKey, Log], now_ms: int) -> dict[PartitionKey, int]:
        """The offset to continue from in each of these partitions.

        A copy that can no longer be trusted (``engine.kafka.copies``) is discarded first and read again from the start.
        Call it before ``flush``: it says to which logs the offsets belong.
        """

    def positions(self) -> dict[PartitionKey, int]:
        """The next offset to read of each partition, as stored in the database."""

    def add(self, records: Sequence[KafkaRecord]) -> None:
        """Buffer records, in offset order for each partition. Records that were written before do no harm."""

    def reached(self, marks: Mapping[PartitionKey, Reached]) -> None:
        """Note how far the reader is, by offset and by time: offsets without a record (transaction markers, aborted
        records) count as read.
        """

    def flush(self) -> Flushed:
        """Write the buffered records and the offsets in one database transaction. On failure the buffer is kept."""

    def close(self) -> None:
        """Close the database. The next sink reads again what was not flushed."""
