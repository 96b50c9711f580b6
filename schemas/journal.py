"""What stands beside an event in the journal and in the links log, in headers; and the bus's orders to itself.

Either log carries departments' events as they were accepted; what the bus knows of one stands beside it in the header
``event``, a MessagePack array: ``[1, "event", uid, time, received, origin, replay]``. The journal carries orders of the
bus to itself, too: their header ``kind`` says which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from . import instant

Header = tuple[str, bytes]
Kind = Literal["event", "note"]
"""A note is a department's answer to an alert."""

EVENT, NODES, ORDER = "event", "nodes", "kind"
"""Headers: what is known of an event; its nodes; which order it is."""
MERGE, MOVED = b"merge", b"moved"
"""Orders: a customer leaves for another one; here comes a part of their past."""

UID_BYTES = 16
LATEST = instant.parse("9999-12-31T00:00:00Z")
"""No instant of a record is later (µs)."""
_Instant = Annotated[int, Meta(ge=0, le=LATEST)]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
is_key = re.compile(_NAME.pattern.encode()).fullmatch
"""Whether a customer can have that key."""
is_origin = re.compile(r"cx\.[A-Za-z0-9_-]{1,64}\.events\.v1/[0-9]{1,9}/[0-9]{1,18}").fullmatch
"""Whether a department can publish there."""


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where the department published the event."""

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
    """What the bus knows of an event. ``form``: of this header. ``uid``: 16 bytes.

    ``time``, by its department, and ``received``, by the broker, in µs. ``origin``: the text of an ``Origin``.
    ``replay``: whoever should act on it has seen it before.
    """

    form: Literal[1]
    kind: Kind
    uid: Annotated[bytes, Meta(min_length=UID_BYTES, max_length=UID_BYTES)]
    time: _Instant
    received: _Instant
    origin: str
    replay: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(EventHeader).decode


def event_headers(
    origin: str, received: int, time: int, uid: bytes, kind: Kind = "event", *, replay: bool = False
) -> tuple[Header, ...]:
    """What travels with an event, an ``EventHeader``: see there."""
    return ((EVENT, _encode((1, kind, uid, time, received, origin, replay))),)


def header_of(headers: Mapping[str, bytes]) -> EventHeader:
    """What ``event_headers`` wrote. Raises ``KeyError`` if there is none, ``ValueError`` and others if it is forged."""
    known = _decode(headers[EVENT])
    if not is_origin(known.origin):
        raise ValueError("no department publishes there")
    return known


def without_nodes(headers: Sequence[Header]) -> tuple[Header, ...]:
    """The headers of a links record as they go on into the journal."""
    return tuple(header for header in headers if header[0] != NODES)


def by_name(headers: Sequence[Header]) -> dict[str, bytes]:
    """The headers that a record of ours has. Raises ``ValueError`` if one stands twice: all of them are sent on."""
    named = dict(headers)
    if len(named) != len(headers):
        raise ValueError("a header stands twice")
    return named


def is_name(text: str) -> bool:
    """Whether a customer or a node can be called so."""
    return _NAME.fullmatch(text) is not None


def is_instant(value: Any) -> bool:
    """Whether it can be one of a record (µs)."""
    return type(value) is int and 0 <= value <= LATEST
