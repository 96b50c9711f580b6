"""The bus's own records in bytes: the journal and the links log.

Either carries departments' events as they were accepted; what the bus knows of one stands beside it in the header
``event``, a MessagePack array: ``[1, "event", uid, time, received, origin, replay]``. The journal carries orders of the
bus to itself, too: their header ``kind`` says which.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
import orjson
from msgspec import Meta

from core.alerts.alert import Alert
from core.alerts.suppression import MOST_ALERTS
from core.identity.links import Node
from engine.kafka.mark import MARK
from engine.kafka.record import KafkaRecord
from schemas import instant
from schemas.codec import MAX_BYTES

Header = tuple[str, bytes]
Kind = Literal["event", "note"]
"""A note is a department's answer to an alert."""

EVENT, NODES, ORDER = "event", "nodes", "kind"
"""Headers: what is known of an event; its nodes; which order it is."""
MERGE, MOVED = b"merge", b"moved"
"""Orders: a customer leaves for another one; here comes a part of their past."""

UID_BYTES = 16
_LATEST = instant.parse("9999-12-31T00:00:00Z")
_Instant = Annotated[int, Meta(ge=0, le=_LATEST)]


def partition_of(customer: str, partitions: int) -> int:
    """Where a customer lives, on every topic that is keyed by customer."""
    return zlib.crc32(customer.encode()) % partitions


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
    if not _is_origin(known.origin):
        raise ValueError("no department publishes there")
    return known


def link_headers(headers: tuple[Header, ...], nodes: Sequence[Node]) -> tuple[Header, ...]:
    """The same for the links log, with the event's nodes, strongest first."""
    return (*headers, (NODES, orjson.dumps([[node.type, node.hash] for node in nodes])))


def nodes_of(headers: Mapping[str, bytes]) -> tuple[Node, ...]:
    """The nodes that ``link_headers`` wrote."""
    return tuple(Node(kind, hashed) for kind, hashed in orjson.loads(headers[NODES]))


def without_nodes(headers: Sequence[Header]) -> tuple[Header, ...]:
    """The headers of a links record as they go on into the journal."""
    return tuple(header for header in headers if header[0] != NODES)


def received_at(record: KafkaRecord) -> int:
    """When the broker appended the record (µs)."""
    return record.timestamp * 1000


# --- whether a record with the bus's mark has the form of one -------------------------------------------------------
# Whoever forges one may put anything there. What is checked is what would go on into keys, messages and letters.

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UID = re.compile(r"[0-9a-f]{32}")
_MOVE = re.compile(r"[A-Za-z0-9_-]{1,64}/-?[0-9]{1,20}")
_is_origin = re.compile(r"cx\.[A-Za-z0-9_-]{1,64}\.events\.v1/[0-9]{1,9}/[0-9]{1,18}").fullmatch
_is_key = re.compile(_NAME.pattern.encode()).fullmatch
_OF_EVENTS, _OF_ORDERS = frozenset({EVENT, MARK[0]}), frozenset({ORDER, MARK[0]})
_OF_LINKS = _OF_EVENTS | {NODES}
_MOST_NODES = 100
"""As many as an event may have identifiers."""
_MOST_DEPARTMENTS = 64
"""Whom one alert is told: a message each."""
_NODE_TYPE = 512
"""Characters of an identifier's type."""


def by_name(headers: Sequence[Header]) -> dict[str, bytes]:
    """The headers that a record of ours has. Raises ``ValueError`` if one stands twice: all of them are sent on."""
    named = dict(headers)
    if len(named) != len(headers):
        raise ValueError("a header stands twice")
    return named


def journaled(key: bytes | None, headers: Mapping[str, bytes]) -> EventHeader | None:
    """What is known of the event of a journal record with this key and these headers; ``None`` if it is an order.

    Raises ``KeyError``, ``ValueError`` and others if no record of the journal has such.
    """
    if key is None or not _is_key(key):
        raise ValueError("no customer has such a key")
    if headers.keys() <= _OF_EVENTS:
        return header_of(headers)
    if not headers.keys() <= _OF_ORDERS or headers[ORDER] not in (MERGE, MOVED):
        raise ValueError("no record of the journal has such headers")
    return None


def may_be_moved(uid: str, time: int, received: int, origin: str) -> bool:
    """Whether these can be what the bus knows of an entry."""
    return bool(_UID.fullmatch(uid) and _is_origin(origin) and 0 <= time <= _LATEST and 0 <= received <= _LATEST)


def may_be_told(alert: Alert) -> bool:
    """Whether the bus can have said that of somebody."""
    departments = alert.departments
    return (
        len(alert.uid) == UID_BYTES
        and is_instant(alert.time)
        and len(set(departments)) == len(departments) <= _MOST_DEPARTMENTS
        and all(map(is_name, departments))
    )


def may_be_notified(alerts: Sequence[Alert]) -> bool:
    """Whether somebody can have been notified of these: more are not remembered, and each may be told once more."""
    return len(alerts) <= MOST_ALERTS and all(map(may_be_told, alerts))


def is_name(text: str) -> bool:
    """Whether a customer or a node can be called so."""
    return _NAME.fullmatch(text) is not None


def is_instant(value: Any) -> bool:
    """Whether it can be one of a record (µs)."""
    return type(value) is int and 0 <= value <= _LATEST


def may_be_merged(customer: str, into: Any, version: Any) -> bool:
    """Whether somebody can have ordered that."""
    return type(into) is str and is_name(into) and into != customer and type(version) is int


def may_arrive(move: str, parts: int, arriving: Mapping[str, int]) -> bool:
    """Whether moves can have these names, and so many parts."""
    return parts > 0 and all(_MOVE.fullmatch(name) for name in (move, *arriving))


def journal_form(record: KafkaRecord) -> bool:
    """Whether it can be a record of the journal; then whatever fails with it is a mistake of the bus's own."""
    try:
        headers = by_name(record.headers)
        known, said = journaled(record.key, headers), orjson.loads(record.value)
        if known is not None:
            return _is_event(said)
        if headers[ORDER] == MERGE:
            return may_be_merged(record.key.decode(), said["into"], said["version"])
        return (
            isinstance(said["alerts"], list)
            and may_arrive(said["move"], said["parts"], said["arriving"])
            and all(_is_moved(entry) for entry in said["entries"])
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _is_event(said: Any) -> bool:
    return isinstance(said["data"], dict) and all(isinstance(said[name], str) for name in ("type", "source", "id"))


def _is_moved(entry: Any) -> bool:
    return may_be_moved(entry["uid"], entry["time"], entry["received"], entry["origin"]) and _is_event(entry["event"])


def links_form(record: KafkaRecord) -> bool:
    """Whether it can be a record of the links log."""
    try:
        headers = by_name(record.headers)
        header_of(headers)
        nodes = nodes_of(headers)
        return (
            len(nodes) <= _MOST_NODES
            and all(len(node.type) <= _NODE_TYPE and is_name(node.hash) for node in nodes)
            and all(type(node.type) is str for node in nodes)
            and 0 < len(record.value) <= MAX_BYTES
            and headers.keys() <= _OF_LINKS
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
