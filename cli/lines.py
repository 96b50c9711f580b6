"""Formats a record of the bus as one line for a person, whatever the record holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from schemas.dead_letter import error_headers

from .words import details, happening, moment, moment_of, named, value_of

if TYPE_CHECKING:
    from engine.kafka.record import Record

    from .names import Names

_DEPARTMENT = 10
"""Columns for a department's name."""
MARKS = {"info": "·", "warning": "!", "critical": "‼"}


def plain(value: bytes | None) -> Any:
    """A record's value: parsed if it is JSON, else as text."""
    if value is None:
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value.decode(errors="replace")


def message_id(record: Record) -> str:
    """The id of the record's CloudEvent; without one, the record's ``topic/partition/offset``."""
    found = _object(plain(record.value)).get("id")
    return found if isinstance(found, str) else f"{record.topic}/{record.partition}/{record.offset}"


def timeline_line(record: Record, names: Names | None = None) -> str:
    """``2026-03-02 09:00:00Z  service    Ada Lovelace (c_…)  case opened: caseId K1``"""
    if record.value is None:
        return f"{moment(record.timestamp * 1000)}  {'':{_DEPARTMENT}} entry moved or removed: {_key(record)}"
    data = _object(_object(plain(record.value)).get("data"))
    event = _object(data.get("event"))
    happened = _object(event.get("data"))
    customer_id = str(data.get("customerId"))
    who = _object(happened.get("customer")).get("name")
    if names is not None:
        if isinstance(who, str) and who:
            names.learn(customer_id, who)
        else:
            who = names.of(customer_id)
    flags = "".join(f" ({flag})" for flag in ("late", "moved") if data.get(flag))
    what = f"{happening(str(event.get('type')))}: {details(happened)}"
    department = f"{data.get('department')!s:{_DEPARTMENT}}"
    return f"{moment_of(event.get('time'))}  {department} {who or '?'} ({customer_id})  {what}{flags}"


def alert_line(record: Record) -> str:
    """``2026-03-02 15:00:00Z  ! fired campaign-during-complaint  Ada Lovelace → marketing, service: …``"""
    data = _object(_object(plain(record.value)).get("data"))
    who = _object(data.get("customer")).get("name") or data.get("customerId")
    told = ", ".join(map(str, data.get("departments") or ()))
    mark = MARKS.get(str(data.get("severity")), "?")
    what = f"{data.get('state')} {data.get('rule')}"
    return f"{moment_of(data.get('time'))}  {mark} {what}  {who} → {told}: {data.get('reason')}  {data.get('alertId')}"


def dead_line(record: Record) -> str:
    """``2026-03-02 09:00:00Z  12  invalid-data  cx.sales.events.v1/0/7: data.total is missing…``"""
    said = {name: value.decode(errors="replace") for name, value in error_headers(record.headers).items()}
    origin = "/".join(said.get(part, "?") for part in ("topic", "partition", "offset"))
    when, reason = moment(record.timestamp * 1000), said.get("exception", "?")
    return f"{when}  {record.offset}  {reason}  {origin}: {said.get('message')}"


def profile_line(record: Record) -> str:
    """``2026-03-02 09:00:00Z  Ada Lovelace (c_…)  3 entries, open: case K1``"""
    when = moment(record.timestamp * 1000)
    if record.value is None:
        return f"{when}  {_key(record)}  removed"
    data = _object(_object(plain(record.value)).get("data"))
    if data.get("mergedInto"):
        return f"{when}  {data.get('customerId')}  is now {data['mergedInto']}"
    open_ = ", ".join(f"{matter.get('entity')} {matter.get('id')}" for matter in data.get("open") or ())
    standing = ", ".join(map(str, data.get("standing") or ()))
    parts = [f"{data.get('entries')} entries", named(data.get("identifiers") or ())]
    parts += [f"open: {open_}"] * bool(open_) + [f"alerts: {standing}"] * bool(standing)
    return f"{when}  {data.get('name') or '?'} ({data.get('customerId')})  {'; '.join(parts)}"


def event_line(record: Record) -> str:
    """``2026-03-02 09:00:00Z  case opened: caseId K1  (/desk 4711)``, structured or binary."""
    headers = {name.lower(): (value or b"").decode(errors="replace") for name, value in record.headers}
    value = plain(record.value)
    event = _object(value)
    if "ce_type" in headers:
        event = {name.removeprefix("ce_"): text for name, text in headers.items() if name.startswith("ce_")}
        event["data"] = value
    if "type" not in event:
        return f"{moment(record.timestamp * 1000)}  not a CloudEvent: {value_of(value)}"
    data = _object(event.get("data"))
    who = _object(data.get("customer")).get("name") or "?"
    what = f"{happening(str(event['type']))}: {details(data)}"
    return f"{moment_of(event.get('time'))}  {who}  {what}  ({event.get('source')} {event.get('id')})"


def _object(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _key(record: Record) -> str:
    return (record.key or b"").decode(errors="replace")
