"""The bus's own records in bytes: the journal and the links log.

A journal or links record carries the department's event as it was accepted; what the bus knows about it stands in
headers, so that nothing is encoded twice. Instants in headers are decimal UTC microseconds.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from core.fuse import MOST_A_DAY, Held
from core.identity import Node
from engine.mark import MARK
from engine.record import KafkaRecord
from schemas import instant
from schemas.codec import MAX_BYTES

from .topics import KEY_RECORD

Header = tuple[str, bytes]

EVENT, NOTE, MERGE, MOVED = b"event", b"note", b"merge", b"moved"
"""Kinds of journal records; a note is a department's answer to an alert."""


def partition_of(customer: str, partitions: int) -> int:
    """Where a customer lives, on every topic that is keyed by customer."""
    return zlib.crc32(customer.encode()) % partitions


class Origin(NamedTuple):
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


def event_headers(origin: Origin, received: int, time: int, uid: str, *, replay: bool = False) -> tuple[Header, ...]:
    """What travels with an event in the journal."""
    headers = (
        ("kind", EVENT),
        ("origin", b"%s/%d/%d" % (origin.topic.encode(), origin.partition, origin.offset)),
        ("received", b"%d" % received),
        ("time", b"%d" % time),
        ("uid", uid.encode()),
    )
    return (*headers, ("replay", b"1")) if replay else headers


def link_headers(headers: tuple[Header, ...], nodes: Sequence[Node]) -> tuple[Header, ...]:
    """The same for the links log, with the event's nodes, strongest first."""
    return (*headers, ("nodes", orjson.dumps([[node.type, node.hash] for node in nodes])))


def nodes_of(headers: Mapping[str, bytes]) -> tuple[Node, ...]:
    """The nodes that ``link_headers`` wrote."""
    return tuple(Node(kind, hashed) for kind, hashed in orjson.loads(headers["nodes"]))


def without_nodes(headers: Sequence[Header]) -> tuple[Header, ...]:
    """The headers of a links record as they go on into the journal."""
    return tuple(header for header in headers if header[0] != "nodes")


def received_at(record: KafkaRecord) -> int:
    """When the broker appended the record (µs)."""
    return int(record.timestamp) * 1000


# --- whether a record with the bus's mark has the form of one -------------------------------------------------------
# Whoever forges one may put anything there. What is checked is what would go on into keys, messages and letters.

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ORIGIN = re.compile(r"cx\.[A-Za-z0-9_-]{1,64}\.events\.v1/[0-9]{1,9}/[0-9]{1,18}")
_UID = re.compile(r"[0-9a-f]{32}")
_MOVE = re.compile(r"[A-Za-z0-9_-]{1,64}/-?[0-9]{1,20}")
_ABOUT = ("kind", "origin", "received", "time", "uid")
_KEY = re.compile(_NAME.pattern.encode())
_FORM = re.compile(
    rb"%b (?:event|note) %b [0-9]{1,18} [0-9]{1,18} %b"
    % (_NAME.pattern.encode(), _ORIGIN.pattern.encode(), _UID.pattern.encode())
)
_HEADERS = frozenset({"kind", "origin", "received", "time", "uid", "replay", "nodes", MARK[0]})
_MOST_NODES = 100
"""As many as an event may have identifiers."""
_NODE_TYPE = 512
"""Characters of an identifier's type."""
_LATEST = instant.parse("9999-12-31T00:00:00Z")


def is_journaled(key: bytes | None, headers: Mapping[str, Any]) -> bool:
    """Whether key and headers can be those of a journal record: a quick look."""
    if headers.get("kind") in (MERGE, MOVED):
        return key is not None and _KEY.fullmatch(key) is not None and headers.keys() <= {"kind", MARK[0]}
    return _is_about_an_event(key or b"", headers)


def _is_about_an_event(key: bytes, said: Mapping[str, Any]) -> bool:
    """Looked at in one piece, because it is looked at for every event."""
    try:
        form = _FORM.fullmatch(b"%b %b %b %b %b %b" % (key, *[said[name] for name in _ABOUT]))
        known = form is not None and said.keys() <= _HEADERS and said.get("replay", b"1") == b"1"
        return known and int(said["time"]) <= _LATEST and int(said["received"]) <= _LATEST
    except (KeyError, TypeError):
        return False


def may_be_moved(uid: str, time: int, received: int, origin: str) -> bool:
    """Whether these can be what the bus knows of an entry."""
    return bool(_UID.fullmatch(uid) and _ORIGIN.fullmatch(origin) and 0 <= time <= _LATEST and 0 <= received <= _LATEST)


def _is_instant(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LATEST


def may_be_merged(customer: str, into: Any, version: Any) -> bool:
    """Whether somebody can have ordered that."""
    return type(into) is str and bool(_NAME.fullmatch(into)) and into != customer and type(version) is int


def may_arrive(move: str, parts: int, arriving: Mapping[str, int]) -> bool:
    """Whether moves can have these names, and so many parts."""
    return parts > 0 and all(_MOVE.fullmatch(name) for name in (move, *arriving))


def journal_form(record: KafkaRecord) -> bool:
    """Whether it can be a record of the journal; then whatever fails with it is a mistake of the bus's own."""
    try:
        headers = dict(record.headers)
        if not is_journaled(record.key, headers):
            return False
        said, kind = orjson.loads(record.value), headers["kind"]
        if kind in (EVENT, NOTE):
            return _is_event(said)
        if kind == MERGE:
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
        headers = dict(record.headers)
        nodes = nodes_of(headers)
        return (
            len(nodes) <= _MOST_NODES
            and all(len(node.type) <= _NODE_TYPE and _NAME.fullmatch(node.hash) for node in nodes)
            and all(type(node.type) is str for node in nodes)
            and 0 < len(record.value) <= MAX_BYTES
            and _is_about_an_event(b"anybody", headers)
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def identifier_record(kind: str, held: Held) -> bytes:
    """What the identities say of an identifier of this type."""
    said: dict[str, Any] = {"id": held.customer, "type": kind}
    if held.blocked is not None:
        said["blocked"] = held.blocked
    elif held.links:
        said["links"] = held.links
    return orjson.dumps(said)


def held_in(record: bytes) -> Held:
    """What ``identifier_record`` wrote."""
    said = orjson.loads(record)
    return Held(said["id"], tuple(said.get("links", ())), said.get("blocked"))


def identity_form(key: bytes | None, value: bytes | None) -> bool:
    """Whether it can be a record of the identities; a tombstone can under any of their keys."""
    try:
        kind, _, name = (key or b"").decode().partition("/")
        if key != KEY_RECORD and not (kind in ("c", "i") and _NAME.fullmatch(name)):
            return False
        if value is None:
            return True
        said = orjson.loads(value)
        if key == KEY_RECORD:
            return isinstance(said["fingerprint"], str) and type(said.get("normalisation", 1)) is int
        if kind == "i":
            kinds = said.keys() <= {"id", "type", "links", "blocked"} and type(said.get("type", "")) is str
            links = said.get("links", [])
            instants = type(links) is list and len(links) <= MOST_A_DAY and all(map(_is_instant, links))
            blocked = "blocked" not in said or _is_instant(said["blocked"])
            return kinds and instants and blocked and _NAME.fullmatch(said["id"]) is not None
        born = type(said["born"]) is int and said["born"] >= 0 and said.keys() <= {"born", "mergedInto", "version"}
        return born and ("mergedInto" not in said or may_be_merged(name, said["mergedInto"], said.get("version")))
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
