"""The bus's own records in bytes: the journal and the links log.

A journal or links record carries the department's event as it was accepted; what the bus knows about it stands in
headers, so that nothing is encoded twice. Instants in headers are decimal UTC microseconds.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from core.identity import Node
from engine.record import KafkaRecord

Header = tuple[str, bytes]

EVENT, NOTE, MERGE, MOVED = b"event", b"note", b"merge", b"moved"
"""Kinds of journal records; a note is a department's answer to an alert."""
KEY_RECORD = b"#key"
"""On the identities topic: the fingerprint of the key with which they were made."""


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


def journal_form(record: KafkaRecord) -> bool:
    """Whether it can be a record of the journal; then whatever fails with it is a mistake of the bus's own."""
    try:
        headers = dict(record.headers)
        record.key.decode()
        said = orjson.loads(record.value)
        kind = headers["kind"]
        if kind in (EVENT, NOTE):
            Origin.parse(headers["origin"].decode())
            numbers = int(headers["time"]), int(headers["received"])
            return bool(headers["uid"].decode() and min(numbers) >= 0 and _is_event(said))
        if kind == MERGE:
            return isinstance(said["into"], str) and isinstance(said["version"], int)
        return (
            kind == MOVED
            and isinstance(said["move"], str)
            and isinstance(said["parts"], int)
            and isinstance(said["alerts"], list)
            and isinstance(said["arriving"], dict)
            and all(_is_moved(entry) for entry in said["entries"])
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _is_event(said: Any) -> bool:
    return isinstance(said["data"], dict) and all(isinstance(said[name], str) for name in ("type", "source", "id"))


def _is_moved(entry: Any) -> bool:
    Origin.parse(entry["origin"])
    numbers = isinstance(entry["time"], int) and isinstance(entry["received"], int)
    return isinstance(entry["uid"], str) and numbers and _is_event(entry["event"])


def links_form(record: KafkaRecord) -> bool:
    """Whether it can be a record of the links log."""
    try:
        headers = dict(record.headers)
        nodes_of(headers)
        Origin.parse(headers["origin"].decode())
        return record.value is not None and headers["kind"] in (EVENT, NOTE)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def identity_form(key: bytes | None, value: bytes | None) -> bool:
    """Whether it can be a record of the identities; a tombstone can under any of their keys."""
    if key is None:
        return False
    try:
        if value is None:
            return bool(key.decode())
        said = orjson.loads(value)
        if key.startswith(b"i/"):
            return isinstance(said["id"], str)
        if key.startswith(b"c/"):
            return isinstance(said["born"], int) and isinstance(said.get("mergedInto", ""), str)
        return key == KEY_RECORD and isinstance(said["fingerprint"], str)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
