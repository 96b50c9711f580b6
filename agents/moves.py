"""A merged-away customer's past on its way to the customer who lives on, in records of the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

import msgspec
import orjson

from core.journey import Shipped
from core.state import BEFORE_ALL, alert_plain
from schemas import instant

from . import messages

MOVE_ENTRIES = 500
MOVE_BYTES = 512 * 1024
"""A part holds so many entries, or so many bytes, whichever comes first. Alerts that are too many for the last part are
one of their own.
"""


class MovedEntry(TypedDict, total=False):
    """An entry on its way to another customer. ``time``, ``received`` in µs; ``event``: the department's, untouched."""

    uid: str
    time: int
    received: int
    origin: str
    event: msgspec.Raw


class Move(TypedDict, total=False):
    """A part of a move (see ``core.journey.Moved``). ``alerts`` is a list, still encoded."""

    move: str
    parts: int
    entries: list[MovedEntry]
    alerts: msgspec.Raw
    arriving: dict[str, int]
    settledUntil: int


def read(value: bytes) -> Move:
    """The part of a move in a journal record. Raises ``msgspec.ValidationError``."""
    return _MOVE.decode(value)


_MOVE = msgspec.json.Decoder(Move)


def parts(customer: str, shipped: Shipped, stored: Sequence[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """The values of the journal records that take ``customer`` away; ``stored``: keys and values on the timeline."""
    found: list[list[dict[str, Any]]] = [[]]
    size = 0
    for key, value in stored:
        if len(found[-1]) >= MOVE_ENTRIES or (size + len(value) > MOVE_BYTES and found[-1]):
            found.append([])
            size = 0
        found[-1].append(_entry(key, value))
        size += len(value)
    alerts = orjson.dumps([alert_plain(alert) for alert in shipped.alerts])
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
                "settledUntil": shipped.settled_until if last else BEFORE_ALL,
            }
        )


def _entry(key: bytes, value: bytes) -> dict[str, Any]:
    held = orjson.loads(value)["data"]
    return {
        "uid": key.rpartition(b"/")[2].decode(),
        "time": instant.parse(held["event"]["time"]),
        "received": held["received"],
        "origin": held["origin"],
        "event": orjson.Fragment(messages.entry_event(value)),
    }
