"""The bus's own records in bytes: the journal and the links log.

A journal or links record carries the department's event as it was accepted; what the bus knows about it stands in
headers, so that nothing is encoded twice. Instants in headers are decimal UTC microseconds.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from core.identity import Node
from engine.record import KafkaRecord

Header = tuple[str, bytes]

EVENT, NOTE, MERGE, MOVED = b"event", b"note", b"merge", b"moved"
"""Kinds of journal records; a note is a department's answer to an alert."""


class UnknownKind(Exception):
    """A journal record of a kind that this version does not know: the worker is older than the data and must stop."""


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
