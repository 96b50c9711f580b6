"""What the bus says, as CloudEvents in bytes: timeline entries, profiles, alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict

import msgspec
import orjson

from core.event import Entry, rfc3339
from core.notification import Said
from core.state import Customer, Put, UnknownSchema, clock_of, customer_from, plainly
from core.timeline import Plan
from engine.errors import Permanent
from schemas.outputs import ALERT_TYPES, PROFILE_UPDATED, SOURCE, TIMELINE_ENTRY

MOST_BYTES = 1_400_000
"""Of a record's value: below a batch's 1.5 MB, with room for key and headers. What is written is bounded so that it
fits (ADR 23); what would not is a decision that failed.
"""

STRUCTURED = (("content-type", b"application/cloudevents+json"),)


def cloud_event(kind: str, message_id: str, time: int, data: Mapping[str, Any]) -> bytes:
    """A structured CloudEvent of the bus. ``time`` in µs."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": message_id,
            "source": SOURCE,
            "type": kind,
            "time": rfc3339(time),
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def timeline_entry(
    customer: bytes,
    key: bytes,
    entry: Entry,
    event: bytes,
    department: str,
    identifiers: Iterable[Mapping[str, str]],
    received: bytes,
    origin: bytes,
    late: bool,
    moved: bool,
) -> bytes:
    """The entry around the department's event, whose bytes are taken as they are: a valid JSON object.

    The other texts are the bus's own and need no escaping, but for the identifiers, of which only type and value are
    repeated.
    """
    return _ENTRY % (
        key,
        rfc3339(entry.at).encode(),
        customer,
        department.encode(),
        entry.at,
        orjson.dumps([{"type": one["type"], "value": one["value"]} for one in identifiers]),
        received,
        origin,
        _TRUTH[late],
        _TRUTH[moved],
        event,
    )


_TRUTH = (b"false", b"true")
_ENTRY = (
    b'{"specversion":"1.0","id":"%s","source":"'
    + SOURCE.encode()
    + b'","type":"'
    + TIMELINE_ENTRY.encode()
    + b'","time":"%s","datacontenttype":"application/json","data":{"customerId":"%s","department":"%s","at":%d,'
    b'"identifiers":%s,"received":%s,"origin":"%s","late":%s,"moved":%s,"event":%s}}'
)


def entry_at(value: bytes) -> int:
    """The instant (µs) in a record that ``timeline_entry`` made, without reading all of it.

    Nothing before it can hold these bytes: inside a text the quotation marks would be escaped.
    """
    start = value.index(_AT) + len(_AT)
    return int(value[start : value.index(b",", start)])


_AT = b'"at":'


def entry_event(value: bytes) -> bytes:
    """The department's event in a record that ``timeline_entry`` made, byte for byte.

    Nothing before it can hold these bytes either: the identifiers have but texts.
    """
    return value[value.index(_EVENT) + len(_EVENT) : -2]


_EVENT = b',"event":'


def profile(customer: Customer, message_id: str, *, whole: bool = True) -> bytes:
    """The customer's document, without what is held for rules if it would be too large or is not to be ``whole``.

    Of a first one no parts are kept: of many customers no more is heard for long.
    """
    put = plainly if customer.entries == 1 else _keeping(customer)
    value = cloud_event(PROFILE_UPDATED, message_id, customer.clock, customer.document(put, whole=whole))
    return profile(customer, message_id, whole=False) if whole and len(value) > MOST_BYTES else value


def _keeping(customer: Customer) -> Put:
    """Parts that have not changed since the customer was last written down are not encoded again."""
    written = customer.written

    def put(name: str, value: Any, plain: Callable[[Any], Any]) -> orjson.Fragment:
        known = written.get(name)
        if known is None or known[0] is not value:
            encoded = value if isinstance(value, bytes) else b"%b" % orjson.dumps(plain(value))
            known = written[name] = value, orjson.Fragment(encoded)  # %b: orjson's own take a kilobyte at least
        return known[1]

    return put


class OtherVersion(Permanent):
    """A profile was written by another version of the bus, in a form that this one does not know."""


def customer(message: bytes, plan: Plan) -> Customer:
    """The customer of whom ``profile`` told. Raises ``OtherVersion``."""
    try:
        return _customer(message, plan)
    except UnknownSchema as error:
        raise OtherVersion(str(error)) from error


def _customer(message: bytes, plan: Plan) -> Customer:
    try:
        document: dict[str, Any] = dict(_PROFILE.decode(message)["data"])
    except msgspec.ValidationError:  # of another form altogether
        return customer_from(orjson.loads(message)["data"], plan)
    held = document["state"]
    parts = held["alerts"] = [bytes(part) for part in held.get("alerts", ())]
    if "streams" in held:  # it was not merged away
        held["streams"] = {name: bytes(part) for name, part in held["streams"].items()}
        held["closed"] = bytes(held["closed"])
        document["open"] = bytes(document["open"])
    found = customer_from(document, plan, orjson.loads)
    for alert, part in zip(found.alerts, parts, strict=True):
        found.written[alert.id] = alert, orjson.Fragment(part)
    return found


def clock(message: bytes) -> int:
    """The journal's clock as of the profile (µs). Raises ``OtherVersion``."""
    try:
        return clock_of(_CLOCK.decode(message)["data"])
    except UnknownSchema as error:
        raise OtherVersion(str(error)) from error


class _State(TypedDict, total=False):
    """What is large and most often not needed stays as it is, and so do alerts: most are written again as they are."""

    schema: Any
    version: int
    plan: str | None
    nameAt: int
    contactAt: dict[str, int]
    lastAt: int
    ruleAt: int
    clock: int
    streams: dict[str, msgspec.Raw]
    settled: str
    since: int
    alerts: list[msgspec.Raw]
    closed: msgspec.Raw
    settledUntil: int
    arriving: dict[str, int]
    unjudged: bool


class _Document(TypedDict, total=False):
    customerId: str
    name: str | None
    identifiers: list[dict[str, str]]
    entries: int
    open: msgspec.Raw
    openCount: int
    mergedInto: str | None
    state: _State


class _Profile(TypedDict):
    data: _Document


class _ClockState(TypedDict):
    schema: Any
    clock: Any


class _ClockDocument(TypedDict):
    state: _ClockState


class _ClockProfile(TypedDict):
    data: _ClockDocument


_PROFILE = msgspec.json.Decoder(_Profile)
_CLOCK = msgspec.json.Decoder(_ClockProfile)


def alert(customer: Customer, said: Said, place: str) -> tuple[str, bytes]:
    """Message id and message. ``place`` is ``<journal partition>-<offset>`` of the record that led to it."""
    told = said.alert
    message_id = f"{told.id}/{customer.id}/{said.state}/{place}"
    data: dict[str, Any] = {
        "alertId": told.id,
        "rule": told.rule,
        "ruleVersion": told.version,
        "state": said.state,
        "severity": told.severity,
        "customerId": customer.id,
        "customer": customer.brief(_keeping(customer)),
        "instanceKey": told.key,
        "departments": list(told.departments),
        "time": rfc3339(told.time),
        "reason": told.reason,
        "action": told.action,
        "evidence": list(told.evidence),
        "historical": told.historical,
    }
    if told.expires is not None:
        data["expiresAt"] = rfc3339(told.expires)
    if said.state in ("resolved", "expired") and told.end is not None:
        data["endedAt"] = rfc3339(told.end)
    return message_id, cloud_event(ALERT_TYPES[said.state], message_id, customer.clock, data)
