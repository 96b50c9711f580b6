"""Turns a record into a row. Bad data is a value: ``Unreadable`` says what is wrong, without data of the record."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict

import msgspec
import orjson

from engine.kafka.mark import MARK
from engine.kafka.record import KafkaRecord
from schemas import instant
from schemas.outputs import ALERT_TYPES, PROFILE_UPDATED, TIMELINE_ENTRY

from ..base import TopicKind
from .names import folded

Row = dict[str, Any]

_LONGEST_KEY = 255
"""Characters of an id. PostgreSQL cannot index texts over 2.7 kB, and a refused key would block the whole sink."""
_INT64 = 2**63
_ENTRY = frozenset({TIMELINE_ENTRY})
_PROFILE = frozenset({PROFILE_UPDATED})
_ALERT = frozenset(ALERT_TYPES.values())
_JOURNAL_OFFSET = re.compile(r"/[0-9]+-([0-9]{1,18})\Z")


class UnreadableReason(StrEnum):
    """Why a record is skipped; a closed set, because it is the label of a metric."""

    FOREIGN = "foreign-record"
    BAD_KEY = "bad-key"
    NOT_JSON = "not-json"
    NOT_CLOUDEVENTS = "not-cloudevents"
    UNKNOWN_TYPE = "unknown-type"
    INVALID_DATA = "invalid-data"


@dataclass(frozen=True, slots=True)
class Upsert:
    """Upsert the row of ``key``. ``row`` maps the column names of the kind's table to values."""

    key: tuple[str, ...]
    row: Row


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A tombstone: delete the row of ``key``. On an alert topic the key is the customer id alone."""

    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The record cannot become a row. ``what`` names the wrong field."""

    reason: UnreadableReason
    what: str


class _Wrong(Exception):
    def __init__(self, reason: UnreadableReason, what: str) -> None:
        super().__init__(reason, what)
        self.unreadable = Unreadable(reason, what)


def read(kind: TopicKind, record: KafkaRecord) -> Upsert | Tombstone | Unreadable:
    """The change that ``record`` makes; ``Unreadable`` also for a record that the bus did not write."""
    if MARK not in record.headers:
        return Unreadable(UnreadableReason.FOREIGN, "header v")
    try:
        return _READERS[kind](record)
    except _Wrong as wrong:
        return wrong.unreadable


def _timeline(record: KafkaRecord) -> Upsert | Tombstone:
    customer_id, slash, uid = _text_key(record).rpartition("/")
    if not slash:
        raise _Wrong(UnreadableReason.BAD_KEY, "key")
    key = (_id(customer_id), _id(uid))
    if record.value is None:
        return Tombstone(key)
    data = _data(_cloudevent(record), _ENTRY, customer_id)
    event = data.get("event")
    if not isinstance(event, dict):
        raise _Wrong(UnreadableReason.INVALID_DATA, "event")
    return Upsert(
        key,
        {
            "customer_id": customer_id,
            "uid": uid,
            "department": _text(data, "department"),
            "type": _text(event, "type"),
            "at": _integer(data, "at"),
            "received": _optional_integer(data, "received"),
            "time": _text(event, "time"),
            "source": _text(event, "source"),
            "event_id": _text(event, "id"),
            "data": _as_sent(record, event),
            "identifiers": _json(data, "identifiers", list),
            "late": bool(data.get("late")),
            "moved": bool(data.get("moved")),
            "log_partition": record.partition,
            "log_offset": record.offset,
        },
    )


def _profile(record: KafkaRecord) -> Upsert | Tombstone:
    customer_id = _id(_text_key(record))
    if record.value is None:
        return Tombstone((customer_id,))
    data = _data(_cloudevent(record), _PROFILE, customer_id)
    merged_into = _optional_text(data, "mergedInto")
    name = _optional_text(data, "name")
    public = {field: value for field, value in data.items() if field != "state"}
    return Upsert(
        (customer_id,),
        {
            "customer_id": customer_id,
            "merged_into": None if merged_into is None else _id(merged_into),
            "name": name,
            "name_folded": None if name is None else folded(name),
            "tier": _optional_text(data, "tier"),
            "document": _dumps(public, "data"),
            "updated": record.timestamp * 1000,
            "log_partition": record.partition,
            "log_offset": record.offset,
        },
    )


def _alert(record: KafkaRecord) -> Upsert | Tombstone:
    customer_id = _id(_text_key(record))
    if record.value is None:
        return Tombstone((customer_id,))
    event = _cloudevent(record)
    data = _data(event, _ALERT, customer_id)
    alert_id = _id(_text(data, "alertId"))
    message_id = _text(event, "id")
    journal = _JOURNAL_OFFSET.search(message_id)
    brief = data.get("customer")
    name = _optional_text(brief, "name") if isinstance(brief, dict) else None
    return Upsert(
        (alert_id, customer_id),
        {
            "alert_id": alert_id,
            "customer_id": customer_id,
            "rule": _text(data, "rule"),
            "rule_version": _optional_integer(data, "ruleVersion"),
            "instance_key": _optional_text(data, "instanceKey") or "",
            "severity": _text(data, "severity"),
            "state": _text(data, "state"),
            "time": _instant(data, "time"),
            "expires_at": _optional_instant(data, "expiresAt"),
            "ended_at": _optional_instant(data, "endedAt"),
            "reason": _optional_text(data, "reason") or "",
            "action": _optional_text(data, "action") or "",
            "evidence": _json(data, "evidence", list),
            "customer": _json(data, "customer", dict),
            "name_folded": None if name is None else folded(name),
            "historical": bool(data.get("historical")),
            "muted": bool(data.get("muted")),
            "source": _text(event, "source"),
            "message_id": message_id,
            "journal_offset": int(journal[1]) if journal else -1,
            "recorded": record.timestamp * 1000,
            "topic": record.topic,
            "log_partition": record.partition,
            "log_offset": record.offset,
        },
    )


def _identity(record: KafkaRecord) -> Upsert | Tombstone:
    key = _id(_text_key(record))
    if record.value is None:
        return Tombstone((key,))
    document = _loads(record.value)
    row: Row = {"key": key, "customer_id": None, "type": None, "merged_into": None, "log_offset": record.offset}
    row["document"] = _dumps(document, "value")
    if key.startswith("#"):
        return Upsert((key,), row)
    if not isinstance(document, dict):
        raise _Wrong(UnreadableReason.INVALID_DATA, "value")
    if key.startswith("i/"):
        row["customer_id"] = _id(_text(document, "id"))
        row["type"] = _text(document, "type")
    elif key.startswith("c/"):
        row["customer_id"] = _id(key[2:])
        merged_into = _optional_text(document, "mergedInto")
        row["merged_into"] = None if merged_into is None else _id(merged_into)
    else:
        raise _Wrong(UnreadableReason.BAD_KEY, "key")
    return Upsert((key,), row)


_READERS: Mapping[TopicKind, Callable[[KafkaRecord], Upsert | Tombstone]] = {
    TopicKind.TIMELINE: _timeline,
    TopicKind.PROFILES: _profile,
    TopicKind.ALERTS: _alert,
    TopicKind.IDENTITIES: _identity,
}


def _text_key(record: KafkaRecord) -> str:
    try:
        return (record.key or b"").decode()
    except UnicodeDecodeError:
        raise _Wrong(UnreadableReason.BAD_KEY, "key") from None


def _id(text: str) -> str:
    if not 0 < len(text) <= _LONGEST_KEY or "\0" in text:
        raise _Wrong(UnreadableReason.BAD_KEY, "key or id")
    return text


def _loads(value: bytes) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise _Wrong(UnreadableReason.NOT_JSON, "value") from None


def _cloudevent(record: KafkaRecord) -> dict[str, Any]:
    event = _loads(record.value or b"")
    if not isinstance(event, dict) or event.get("specversion") != "1.0":
        raise _Wrong(UnreadableReason.NOT_CLOUDEVENTS, "specversion")
    return event


def _data(event: Mapping[str, Any], types: Collection[str], customer_id: str) -> dict[str, Any]:
    """The ``data`` of an event of one of these types about the customer that the record's key names."""
    name = event.get("type")
    if not isinstance(name, str) or name not in types:
        raise _Wrong(UnreadableReason.UNKNOWN_TYPE, "type")
    data = event.get("data")
    if not isinstance(data, dict):
        raise _Wrong(UnreadableReason.INVALID_DATA, "data")
    if data.get("customerId") != customer_id:
        raise _Wrong(UnreadableReason.INVALID_DATA, "customerId")
    return data


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = _optional_text(fields, name)
    if value is None:
        raise _Wrong(UnreadableReason.INVALID_DATA, name)
    return value


def _optional_text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _Wrong(UnreadableReason.INVALID_DATA, name)
    return value.replace("\0", "\ufffd")


def _integer(fields: Mapping[str, Any], name: str) -> int:
    value = _optional_integer(fields, name)
    if value is None:
        raise _Wrong(UnreadableReason.INVALID_DATA, name)
    return value


def _optional_integer(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not int or not -_INT64 <= value < _INT64:
        raise _Wrong(UnreadableReason.INVALID_DATA, name)
    return value


def _instant(fields: Mapping[str, Any], name: str) -> int:
    try:
        return instant.parse(_text(fields, name))
    except ValueError:
        raise _Wrong(UnreadableReason.INVALID_DATA, name) from None


def _optional_instant(fields: Mapping[str, Any], name: str) -> int | None:
    return None if fields.get(name) is None else _instant(fields, name)


def _json(fields: Mapping[str, Any], name: str, shape: type[dict[str, Any]] | type[list[Any]]) -> str:
    value = fields.get(name)
    if value is None:
        value = shape()
    if not isinstance(value, shape):
        raise _Wrong(UnreadableReason.INVALID_DATA, name)
    return _dumps(value, name)


class _Event(TypedDict, total=False):
    data: msgspec.Raw


class _Entry(TypedDict):
    event: _Event


class _Timeline(TypedDict):
    data: _Entry


_RAW = msgspec.json.Decoder(_Timeline)


def _as_sent(record: KafkaRecord, event: Mapping[str, Any]) -> str:
    """An event's data, byte for byte as its department sent it: numbers are not parsed and serialised again."""
    if not isinstance(event.get("data"), dict):
        return _json(event, "data", dict)
    try:
        return bytes(_RAW.decode(record.value or b"")["data"]["event"]["data"]).decode()
    except (msgspec.MsgspecError, RecursionError):  # orjson nests deeper, and drops the first value of a repeated key
        raise _Wrong(UnreadableReason.INVALID_DATA, "data") from None


def _dumps(value: Any, name: str) -> str:
    """``value`` as JSON text. orjson has read an integer beyond 64 bits as the nearest double."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # nested deeper than orjson writes (254), though not deeper than it reads
        raise _Wrong(UnreadableReason.INVALID_DATA, name) from None
