"""An entry as the local store keeps it: the part of its timeline record that the bus itself needs again.

That is the end of the record's value, from the instant of receipt on: ``<received>,"origin":"…","event":{…}``. The
entry's instant (``at``) and uid are in its key. The part is cut out, not parsed, to keep a restore fast.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from core.customer.arrival import Arrived
from core.timeline.entry import Entry
from schemas import instant


class Shippable(NamedTuple):
    """An entry as a move takes it along. ``time``, ``received`` in µs; ``event``: the department's bytes, unchanged."""

    uid: str
    time: int
    received: int
    origin: str
    event: bytes


def kept(received: int, origin: str, event: bytes) -> bytes:
    """Encodes an entry for the store; ``received`` (µs) and ``origin`` (``topic/partition/offset``) need no escape."""
    return f'{received},"origin":"{origin}","event":'.encode() + event


def cut(record: bytes) -> tuple[int, bytes]:
    """The instant (µs), and the stored form, of a timeline record's value that ``timeline_entry`` made.

    The bytes that are searched for can't occur earlier in it: inside a text the quotation marks are escaped. Raises
    ``ValueError`` for another value.
    """
    start = record.index(_AT) + 5
    end = record.index(b",", start)
    return int(record[start:end]), record[record.index(_RECEIVED, end) + 11 : -2]


def entry(at: int, uid: str, stored: bytes) -> Entry:
    """Decodes the entry."""
    event = orjson.loads(_event(stored))
    return Entry(at, uid, event["type"], event["source"], event["id"], event["data"])


def arrived(at: int, uid: str, stored: bytes) -> Arrived:
    """Decodes the entry with the department's own time, to be compared with a copy."""
    event = orjson.loads(_event(stored))
    return Arrived(
        Entry(at, uid, event["type"], event["source"], event["id"], event["data"]), instant.parse(event["time"])
    )


def for_move(uid: str, stored: bytes) -> Shippable:
    """Decodes the entry for a move."""
    head: dict[str, Any] = orjson.loads(b'{"received":%s}' % stored[: stored.index(_EVENT)])
    event = _event(stored)
    # parsed as intake did: the last value of a repeated key counts
    return Shippable(uid, instant.parse(orjson.loads(event)["time"]), head["received"], head["origin"], event)


def _event(stored: bytes) -> bytes:
    """The department's event. The bus's own texts before it can't contain the bytes that are searched for."""
    return stored[stored.index(_EVENT) + len(_EVENT) :]


_AT = b'"at":'
_RECEIVED = b'"received":'
_EVENT = b',"event":'
