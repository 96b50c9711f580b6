"""The headers of records in the journal and the links log: what the bus knows of an event, and its orders to itself.

Both logs carry departments' events as they were accepted. What the bus knows of one is in the header ``event``, a
MessagePack array: ``[1, "event", uid, time, received, origin, replay]``. The journal also carries orders of the bus to
itself: their header ``kind`` says which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from . import instant

Header = tuple[str, bytes]
EntryKind = Literal["event", "note"]
"""A note is a department's answer to an alert."""

EVENT, NODES, ORDER = "event", "nodes", "kind"
"""Names of headers: what is known of an event; its nodes; which order it is."""
MERGE, MOVED = b"merge", b"moved"
"""Orders: to merge a customer into another one; to take in a part of a merged customer's history."""

UID_BYTES = 16
LATEST = instant.parse("9999-12-31T00:00:00Z")
"""The latest instant that a record may have (µs)."""
_Instant = Annotated[int, Meta(ge=0, le=LATEST)]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
is_key = re.compile(_NAME.pattern.encode()).fullmatch
"""Whether this can be the key of a customer."""
is_origin = re.compile(r"cx\.[A-Za-z0-9_-]{1,64}\.events\.v1/[0-9]{1,9}/[0-9]{1,18}").fullmatch
"""Whether this is a position on a department's topic."""


class Origin(msgspec.Struct, frozen=True, gc=False):
    """The position at which the department published the event."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Origin:
        topic, partition, offset = text.rsplit("/", 2)
        return cls(topic, int(partition), int(offset))


class EventHeader(msgspec.Struct, array_like=True, forbid_unknown_fields=True, frozen=True, gc=False):
    """What the bus knows of an event. ``form``: the version of this header. ``uid``: 16 bytes.

    ``time``, by its department, and ``received``, by the broker, in µs. ``origin``: an ``Origin`` as text. ``replay``:
    whoever should act on it has seen it before.
    """

    form: Literal[1]
    kind: EntryKind
    uid: Annotated[bytes, Meta(min_length=UID_BYTES, max_length=UID_BYTES)]
    time: _Instant
    received: _Instant
    origin: str
    replay: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(EventHeader).decode


def event_headers(
    origin: str, received: int, time: int, uid: bytes, kind: EntryKind = "event", *, replay: bool = False
) -> tuple[Header, ...]:
    """The headers of an event: its ``EventHeader``, encoded."""
    return ((EVENT, _encode((1, kind, uid, time, received, origin, replay))),)


def header_of(headers: Mapping[str, bytes]) -> EventHeader:
    """The decoded ``EventHeader``. Raises ``KeyError`` if there is none, ``ValueError`` and others if it is forged."""
    known = _decode(headers[EVENT])
    if not is_origin(known.origin):
        raise ValueError("no department publishes there")
    return known


def without_nodes(headers: Sequence[Header]) -> tuple[Header, ...]:
    """The headers of a links record without its nodes: those that the journal record gets."""
    return tuple(header for header in headers if header[0] != NODES)


def by_name(headers: Sequence[Header]) -> dict[str, bytes]:
    """The headers of a record of the bus, by name. Raises ``ValueError`` if one occurs twice, as all are forwarded."""
    named = dict(headers)
    if len(named) != len(headers):
        raise ValueError("a header is given twice")
    return named


def is_name(text: str) -> bool:
    """Whether this can be the id of a customer or of a node."""
    return _NAME.fullmatch(text) is not None


def is_instant(value: Any) -> bool:
    """Whether this can be an instant of a record (µs)."""
    return type(value) is int and 0 <= value <= LATEST
