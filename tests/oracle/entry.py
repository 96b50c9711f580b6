"""Instants and entries (semantics 1.1, 1.2, 1.3): a customer's history, and what of it was there at an instant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

H = 3_600_000_000
D = 24 * H
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = 2**62
"""The end of what does not end."""


class Entry(NamedTuple):
    """One thing that happened. 1.2: T is ordered by ``(at, uid)``."""

    at: int
    uid: str
    type: str
    source: str
    id: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event as a journal record brought it. ``time``, ``received`` in µs; ``event`` the department's CloudEvent."""

    entry: Entry
    time: int
    received: int
    origin: str
    event: Mapping[str, Any]

    @property
    def note(self) -> bool:
        """1.8: an answer to an alert is outside T."""
        return self.entry.type.startswith("bus.")

    def same(self, other: Arrival) -> bool:
        """1.2: a copy has equal type, time and data."""
        return (self.entry.type, self.time, self.entry.data) == (other.entry.type, other.time, other.entry.data)


def arrival(event: Mapping[str, Any], received: int, origin: str) -> Arrival:
    """1.1: an event's instant is ``min(time, received)``."""
    time = instant(event["time"])
    at = min(time, received)
    entry = Entry(at, uid_of(event["source"], event["id"]), event["type"], event["source"], event["id"], event["data"])
    return Arrival(entry, time, received, origin, event)


def uid_of(source: str, event_id: str) -> str:
    """1.2: the first 32 hex digits of SHA-256 of source, newline, id."""
    return hashlib.sha256(f"{source}\n{event_id}".encode()).hexdigest()[:32]


def instant(text: str) -> int:
    """1.1: integer UTC microseconds, finer digits cut."""
    return (datetime.fromisoformat(text.upper()) - EPOCH) // timedelta(microseconds=1)


def rfc3339(at: int) -> str:
    """The instant as the bus writes it."""
    return (EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


class History:
    """T: the entries of one customer, never changed. What was asked once is remembered, for speed only."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = sorted(entries, key=lambda e: (e.at, e.uid))
        self._upto: dict[int, tuple[Entry, ...]] = {}

    def upto(self, t: int) -> tuple[Entry, ...]:
        """1.3: as of t = every entry with ``at <= t``, all ties included."""
        if t not in self._upto:
            self._upto[t] = tuple(e for e in self.entries if e.at <= t)
        return self._upto[t]

    def of(self, t: int, kind: str) -> list[Entry]:
        """The entries of one type as of t."""
        return [e for e in self.upto(t) if e.type == kind]
