"""The results of the reader's queries. Instants are integer UTC microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the bus knows them. ``document`` is the public profile."""

    customer_id: str
    name: str | None
    tier: str | None
    updated: int
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a timeline: an event as its department published it."""

    customer_id: str
    uid: str
    department: str
    type: str
    at: int
    received: int | None
    time: str
    source: str
    event_id: str
    data: Mapping[str, Any]
    identifiers: Sequence[Any]
    late: bool
    moved: bool

    @property
    def cursor(self) -> tuple[int, str]:
        """Its position in the timeline: event time and uid."""
        return (self.at, self.uid)


@dataclass(frozen=True, slots=True)
class Alert:
    """The latest state of an alert. ``departments`` were notified; ``customer`` is the customer brief they got."""

    alert_id: str
    customer_id: str
    rule: str
    rule_version: int | None
    instance_key: str
    severity: str
    state: str
    time: int
    expires_at: int | None
    ended_at: int | None
    reason: str
    action: str
    evidence: Sequence[Any]
    customer: Mapping[str, Any]
    historical: bool
    muted: bool
    source: str
    message_id: str
    recorded: int
    departments: tuple[str, ...]

    @property
    def cursor(self) -> tuple[int, str, str]:
        """Its position among all alerts: time, alert id, customer id."""
        return (self.time, self.alert_id, self.customer_id)


@dataclass(frozen=True, slots=True)
class Counts:
    """Row counts. ``merged`` counts customer ids that were merged into another; ``alerts`` are counted by state."""

    customers: int
    merged: int
    entries: int
    identifiers: int
    alerts: Mapping[str, int]
