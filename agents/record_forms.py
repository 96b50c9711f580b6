"""Checks that a record with the bus's mark has the form of the bus's records: whoever forges one may put anything
there.

Only what would go on into keys, messages and dead letters is checked. Also here: the nodes of an event in its header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from core.alerts.alert import Alert
from core.alerts.suppression import MOST_ALERTS
from core.identity.links import Node
from engine.kafka.mark import MARK
from engine.kafka.record import KafkaRecord
from schemas.codec import MAX_BYTES
from schemas.journal import (
    EVENT,
    LATEST,
    MERGE,
    MOVED,
    NODES,
    ORDER,
    UID_BYTES,
    EventHeader,
    Header,
    by_name,
    header_of,
    is_instant,
    is_key,
    is_name,
    is_origin,
)

_UID = re.compile(r"[0-9a-f]{32}")
_MOVE = re.compile(r"[A-Za-z0-9_-]{1,64}/-?[0-9]{1,20}")
_OF_EVENTS, _OF_ORDERS = frozenset({EVENT, MARK[0]}), frozenset({ORDER, MARK[0]})
_OF_LINKS = _OF_EVENTS | {NODES}
_MOST_NODES = 100
"""The most identifiers that an event may have."""
_MOST_DEPARTMENTS = 64
"""The most departments that one alert is sent to: a message each."""
_NODE_TYPE = 512
"""Characters at most of an identifier's type."""


def link_headers(headers: tuple[Header, ...], nodes: Sequence[Node]) -> tuple[Header, ...]:
    """The headers of a record of the links log: an event's ``headers``, with its nodes, strongest first."""
    return (*headers, (NODES, orjson.dumps([[node.type, node.hash] for node in nodes])))


def nodes_of(headers: Mapping[str, bytes]) -> tuple[Node, ...]:
    """Decodes the nodes that ``link_headers`` wrote."""
    return tuple(Node(kind, hashed) for kind, hashed in orjson.loads(headers[NODES]))


def received_at(record: KafkaRecord) -> int:
    """When the broker appended the record (µs)."""
    return record.timestamp * 1000


def journaled(key: bytes | None, headers: Mapping[str, bytes]) -> EventHeader | None:
    """The event header of a journal record with this key and these headers; ``None`` if the record is an order.

    Raises ``KeyError``, ``ValueError`` and others if no record of the journal has such a key and headers.
    """
    if key is None or not is_key(key):
        raise ValueError("no customer has such a key")
    if headers.keys() <= _OF_EVENTS:
        return header_of(headers)
    if not headers.keys() <= _OF_ORDERS or headers[ORDER] not in (MERGE, MOVED):
        raise ValueError("no record of the journal has such headers")
    return None


def may_be_moved(uid: str, time: int, received: int, origin: str) -> bool:
    """Whether the uid, times (µs) and origin of a moved entry are possible."""
    return bool(_UID.fullmatch(uid) and is_origin(origin) and 0 <= time <= LATEST and 0 <= received <= LATEST)


def may_be_told(alert: Alert) -> bool:
    """Whether the bus can have notified anybody of that alert."""
    departments = alert.departments
    return (
        len(alert.uid) == UID_BYTES
        and is_instant(alert.time)
        and len(set(departments)) == len(departments) <= _MOST_DEPARTMENTS
        and all(map(is_name, departments))
    )


def are_valid_alerts(alerts: Sequence[Alert]) -> bool:
    """Whether these can be a customer's notified alerts: few are remembered, and each may cause one more message."""
    return len(alerts) <= MOST_ALERTS and all(map(may_be_told, alerts))


def may_be_merged(customer: str, into: Any, version: Any) -> bool:
    """Whether the bus can have ordered to merge ``customer`` into ``into``."""
    return type(into) is str and is_name(into) and into != customer and type(version) is int


def may_arrive(move: str, parts: int, arriving: Mapping[str, int]) -> bool:
    """Whether moves can have these names, and so many parts."""
    return parts > 0 and all(_MOVE.fullmatch(name) for name in (move, *arriving))


def journal_form(record: KafkaRecord) -> bool:
    """Whether it has the form of a journal record; if so, whatever fails with it is a bug of the bus."""
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
    """Whether it has the form of a record of the links log."""
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
