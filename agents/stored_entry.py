"""An entry as the local store keeps it: of its record on the timeline what the bus itself needs again.

That is the end of the record's value, from the instant of receipt on: ``<received>,"origin":"…","event":{…}``. Where
the entry stands (``at``, uid) is in its key. Cut out, not parsed: a restore has no time for that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from core.customer.arrival import Arrived
from core.timeline.entry import Entry
from schemas import instant


class Shippable(NamedTuple):
    """What a move takes along. ``time``, ``received`` in µs; ``event``: the department's, byte for byte."""

    uid: str
    time: int
    received: int
    origin: str
    event: bytes


def kept(received: int, origin: str, event: bytes) -> bytes:
    """What is kept of an entry; the bus's own words of it (µs, ``topic/partition/offset``) need no escaping."""
    return f'{received},"origin":"{origin}","event":'.encode() + event


def cut(record: bytes) -> tuple[int, bytes]:
    """The instant (µs), and what is kept, of a value that ``timeline_entry`` made.

    Nothing before them can hold the bytes that are looked for: inside a text the quotation marks would be escaped.
    Raises ``ValueError`` for another value.
    """
    start = record.index(_AT) + 5
    end = record.index(b",", start)
    return int(record[start:end]), record[record.index(_RECEIVED, end) + 11 : -2]


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
    # read as intake did: of a key given twice the last counts
    return Shippable(uid, instant.parse(orjson.loads(event)["time"]), head["received"], head["origin"], event)


def _event(stored: bytes) -> bytes:
    """Neither of the bus's own texts before it can hold these bytes."""
    return stored[stored.index(_EVENT) + len(_EVENT) :]


_AT = b'"at":'
_RECEIVED = b'"received":'
_EVENT = b',"event":'
