"""Identifiers that are blocked because too many strangers share them, and how they are reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import nlargest

import orjson

from schemas import instant
from schemas.refusal import Reason, Refusal

SHOWN = 100
"""How many blocked identifiers are listed, the latest first; all are counted."""


@dataclass(frozen=True, slots=True, order=True)
class Blocked:
    """A blocked identifier. ``since``: µs; ``customer``: its first owner; ``key``: its key on the identities topic."""

    since: int
    key: str
    type: str
    customer: str


@dataclass(frozen=True, slots=True)
class BlockedIdentifiers:
    """The number of blocked identifiers, and the latest of them first."""

    count: int = 0
    latest: tuple[Blocked, ...] = ()

    @classmethod
    def of(cls, records: Iterable[tuple[bytes, bytes]]) -> BlockedIdentifiers:
        """Reads them all from keys and values of the identities topic."""
        count = 0

        def counted() -> Iterator[Blocked]:
            nonlocal count
            for key, value in records:
                count += 1
                yield blocked_in(key, value)

        latest = nlargest(SHOWN, counted())
        return cls(count, tuple(latest))

    def with_one(self, blocked: Blocked) -> BlockedIdentifiers:
        """These and one that was just blocked."""
        return BlockedIdentifiers(self.count + 1, (blocked, *self.latest)[:SHOWN])

    def page(self) -> str:
        """The JSON document of the ops page."""
        latest = [
            {"type": one.type, "since": instant.render(one.since), "customerId": one.customer, "key": one.key}
            for one in self.latest
        ]
        return orjson.dumps({"count": self.count, "latest": latest}).decode()


def blocked_in(key: bytes, value: bytes) -> Blocked:
    """The blocked identifier in a record of the identities topic."""
    said = orjson.loads(value)
    return Blocked(said["blocked"], key.decode(), said.get("type", ""), said["id"])


def nobody(types: Iterable[tuple[str, int]]) -> Refusal:
    """Why an event is refused whose identifiers are all blocked. ``types``: type and since when (µs) of each."""
    which = ", ".join(f"{kind} (since {instant.render(since)})" for kind, since in types)
    return Refusal(
        Reason.NO_IDENTIFIER,
        f"data.customer.identifiers has only blocked values: {which}. A value is blocked when too many "
        "customers use it within 24 hours; send an identifier that belongs to this customer alone.",
    )
