"""An entry as the local store keeps it: of its record on the timeline what the bus itself needs again.

That is the end of the record's value, from the instant of receipt on: ``<received>,"origin":"…","event":{…}``. Where
the entry stands (``at``, uid) is in its key. Cut out, not parsed: a restore has no time for that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import orjson

from core.arrival import Arrived
from core.event import Entry
from schemas import instant


class Shippable(NamedTuple):
    """What a move takes along. ``time``, ``received`` in µs; ``event``: the department's, byte for byte."""

    uid: str
    time: int
    received: int
    origin: str
    event: bytes


def instant_of(record: bytes) -> int:
    """The entry's instant (µs) in a value that ``messages.timeline_entry`` made. Raises ``ValueError`` for another.

    Nothing before it can hold these bytes: inside a text the quotation marks would be escaped.
    """
    start = record.index(_AT) + len(_AT)
    return int(record[start : record.index(b",", start)])


def cut(record: bytes) -> bytes:
    """What is kept of such a value. Raises ``ValueError`` for another."""
    return record[record.index(_RECEIVED) + len(_RECEIVED) : -2]


def entry(at: int, uid: str, stored: bytes) -> Entry:
    """The entry."""
    event = orjson.loads(_event(stored))
    return Entry(at, uid, event["type"], event["source"], event["id"], event["data"])


def arrived(at: int, uid: str, stored: bytes) -> Arrived:
    """The entry, and its department's own time, to be compared with a copy."""
    event = orjson.loads(_event(stored))
    return Arrived(
        Entry(at, uid, event["type"], event["source"], event["id"], event["data"]), instant.parse(event["time"])
    )


def shippable(uid: str, stored: bytes) -> Shippable:
    """What goes to another customer."""
    head: dict[str, Any] = orjson.loads(b'{"received":%s}' % stored[: stored.index(_EVENT)])
    event = _event(stored)
    return Shippable(uid, instant.parse(_TIME.decode(event).time), head["received"], head["origin"], event)


def _event(stored: bytes) -> bytes:
    """Neither of the bus's own texts before it can hold these bytes."""
    return stored[stored.index(_EVENT) + len(_EVENT) :]


class _Timed(msgspec.Struct):
    time: str


_AT = b'"at":'
_RECEIVED = b'"received":'
_EVENT = b',"event":'
_TIME = msgspec.json.Decoder(_Timed)
