"""A move: a merged customer's history on its way to the surviving customer, in records of the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

import msgspec
import orjson

from core.alerts.alert import Alert
from core.customer.step import MovedOut
from core.timeline.entry import BEFORE_ALL

from .stored_entry import Shippable

MOVE_ENTRIES = 500
MOVE_BYTES = 512 * 1024
"""Entries, or bytes, that a part holds at most, whichever comes first. Alerts that do not fit into the last part get
one of their own.
"""

ENTRY_BYTES = 512
"""Bytes at most that a part holds of an entry beside its event."""


class MovedEntry(TypedDict, total=False):
    """An entry on its way to another customer. ``time``, ``received`` in µs; ``event``: the department's bytes."""

    uid: str
    time: int
    received: int
    origin: str
    event: msgspec.Raw


class Move(TypedDict, total=False):
    """A part of a move (see ``core.customer.step.Moved``)."""

    move: str
    parts: int
    entries: list[MovedEntry]
    alerts: list[Alert]
    arriving: dict[str, int]
    settledUntil: int  # ``decided_until`` of the customer: records keep the name that they were written with
    until: int


def read(value: bytes) -> Move:
    """Decodes the part of a move in a journal record. Raises ``msgspec.ValidationError``."""
    return _MOVE.decode(value)


_MOVE = msgspec.json.Decoder(Move)


def parts(customer: str, shipped: MovedOut, stored: Sequence[Shippable]) -> Iterator[bytes]:
    """The values of the journal records that move ``customer`` away, with the ``stored`` entries."""
    found: list[list[dict[str, Any]]] = [[]]
    size = 0
    for entry in stored:
        weight = len(entry.event) + ENTRY_BYTES
        if len(found[-1]) >= MOVE_ENTRIES or (size + weight > MOVE_BYTES and found[-1]):
            found.append([])
            size = 0
        found[-1].append({**entry._asdict(), "event": orjson.Fragment(entry.event)})
        size += weight
    alerts = msgspec.json.encode(shipped.alerts)
    if size + len(alerts) > MOVE_BYTES and found[-1]:
        found.append([])
    for number, entries in enumerate(found):
        last = number == len(found) - 1
        yield orjson.dumps(
            {
                "move": f"{customer}/{shipped.version}",
                "parts": len(found),
                "entries": entries,
                "alerts": orjson.Fragment(alerts) if last else [],
                "arriving": shipped.arriving if last else {},
                "settledUntil": shipped.decided_until if last else BEFORE_ALL,
                "until": shipped.until if last else BEFORE_ALL,
            }
        )
