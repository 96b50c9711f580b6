"""Identifiers that are blocked because too many strangers share them: which, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import nlargest

import orjson

from schemas import instant
from schemas.refusal import Dead, Reason

SHOWN = 100
"""So many are listed, the latest; all are counted."""


@dataclass(frozen=True, slots=True, order=True)
class Blocked:
    """One of them. ``since``: µs; ``customer``: whom it had joined before; ``key``: its key among the identities."""

    since: int
    key: str
    type: str
    customer: str


@dataclass(frozen=True, slots=True)
class BlockedIdentifiers:
    """How many there are, and the latest of them first."""

    count: int = 0
    latest: tuple[Blocked, ...] = ()

    @classmethod
    def of(cls, records: Iterable[tuple[bytes, bytes]]) -> BlockedIdentifiers:
        """All of them, from their keys and values among the identities."""
        count = 0

        def counted() -> Iterator[Blocked]:
            nonlocal count
            for key, value in records:
                count += 1
                yield blocked_in(key, value)

        latest = nlargest(SHOWN, counted())
        return cls(count, tuple(latest))

    def with_one(self, blocked: Blocked) -> BlockedIdentifiers:
        """These and one that is blocked just now."""
        return BlockedIdentifiers(self.count + 1, (blocked, *self.latest)[:SHOWN])

    def page(self) -> str:
        """As the ops page says it: one JSON document."""
        latest = [
            {"type": one.type, "since": instant.render(one.since), "customerId": one.customer, "key": one.key}
            for one in self.latest
        ]
        return orjson.dumps({"count": self.count, "latest": latest}).decode()


def blocked_in(key: bytes, value: bytes) -> Blocked:
    """What a record of the identities says of one of them."""
    said = orjson.loads(value)
    return Blocked(said["blocked"], key.decode(), said.get("type", ""), said["id"])


def nobody(types: Iterable[tuple[str, int]]) -> Dead:
    """Why an event has nobody, all of whose identifiers are blocked; with the type of each, since when (µs)."""
    which = ", ".join(f"{kind} (since {instant.render(since)})" for kind, since in types)
    return Dead(
        Reason.NO_IDENTIFIER,
        f"data.customer.identifiers has only what identifies nobody any more: {which}. Too many customers came "
        "with such a value within 24 hours, so it is blocked; send an identifier that is the customer's own.",
    )
