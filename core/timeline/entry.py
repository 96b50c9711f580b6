"""One entry of a customer's timeline, and the instants it carries.

Every instant in the core is an ``int``: UTC microseconds since 1970.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec import Struct, to_builtins

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
FOREVER = 2**62
"""Later than every instant."""
BEFORE_ALL = -1
"""Earlier than every instant."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Entry(Struct, frozen=True, gc=False, order=True):
    """One thing that happened to a customer. Ordered by ``(at, uid)``, as the timeline is."""

    at: int
    uid: str
    type: str
    source: str
    id: str
    data: Mapping[str, object]


def event_uid(source: str, event_id: str) -> str:
    """The event's uid: 32 hex digits that are unique across the company, and the same whoever sends the event again."""
    return uid_bytes(source, event_id).hex()


def uid_bytes(source: str, event_id: str) -> bytes:
    """The event's uid as 16 bytes."""
    return hashlib.sha256(f"{source}\n{event_id}".encode()).digest()[:16]


def effective_at(time: int, received: int) -> int:
    """The event's instant (µs): when it happened, but never later than when the broker received it."""
    return min(time, received)


def rfc3339(instant: int) -> str:
    """``1_772_442_000_000_000`` as ``2026-03-02T09:00:00Z``; with a fraction only when there is one.

    Raises ``OverflowError`` outside of the years 1 to 9999.
    """
    return str(to_builtins(_EPOCH + instant * _MICROSECOND))


@lru_cache(maxsize=1_000)
def midnight(date: str) -> int:
    """00:00 UTC (µs) of an ISO date, or of the date part of an ISO time.

    Raises ``ValueError`` for anything else.
    """
    day = datetime.fromisoformat(date[:10]).replace(tzinfo=UTC)
    return (day - _EPOCH) // _MICROSECOND
