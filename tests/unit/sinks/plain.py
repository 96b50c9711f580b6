"""What a database must hold after some records, in the plainest possible way; shares no code with ``sinks``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from engine.kafka.record import Record

from .messages import TOPICS

Table = dict[tuple[str, ...], dict[str, Any]]


def fold(records: Iterable[Record]) -> dict[str, Table]:
    """The tables after ``records``, those of each partition in offset order."""
    seen = list(records)
    return {
        "timeline": _timeline(seen),
        "profiles": _profiles(seen),
        "identities": _identities(seen),
        "alerts": _alerts(seen),
    }


def _timeline(records: list[Record]) -> Table:
    table: Table = {}
    for record in records:
        if record.topic != TOPICS.timeline or record.key is None:
            continue
        customer, _, uid = record.key.decode().rpartition("/")
        if record.value is None:
            table.pop((customer, uid), None)
        elif (data := _data(record)) is not None:
            event = data["event"]
            table[customer, uid] = {
                "department": data["department"],
                "type": event["type"],
                "at": data["at"],
                "received": data["received"],
                "time": event["time"],
                "source": event["source"],
                "event_id": event["id"],
                "data": event["data"],
                "identifiers": data["identifiers"],
                "late": data["late"],
                "moved": data["moved"],
            }
    return table


def _profiles(records: list[Record]) -> Table:
    table: Table = {}
    for record in records:
        if record.topic != TOPICS.profiles or record.key is None:
            continue
        customer = record.key.decode()
        if record.value is None:
            table.pop((customer,), None)
        elif (data := _data(record)) is not None:
            table[(customer,)] = {
                "merged_into": data.get("mergedInto"),
                "name": data.get("name"),
                "tier": data.get("tier"),
                "document": {name: value for name, value in data.items() if name != "state"},
                "updated": record.timestamp * 1000,
            }
    return table


def _identities(records: list[Record]) -> Table:
    table: Table = {}
    for record in records:
        if record.topic != TOPICS.identities or record.key is None:
            continue
        key = record.key.decode()
        value = None if record.value is None else _json(record.value)
        if record.value is None:
            table.pop((key,), None)
        elif value is not None:
            owner = value["id"] if key.startswith("i/") else key[2:] if key.startswith("c/") else None
            table[(key,)] = {
                "customer_id": owner,
                "type": value.get("type"),
                "merged_into": value.get("mergedInto"),
                "document": value,
            }
    return table


def _alerts(records: list[Record]) -> Table:
    """The state of the last message about an alert and customer, in the order of the journal, unless the customer was
    forgotten since; with the departments that were told after that."""
    forgotten: dict[str, int] = {}
    for record in records:
        if record.topic in (TOPICS.profiles, *TOPICS.alerts.values()) and record.key and record.value is None:
            customer = record.key.decode()
            forgotten[customer] = max(forgotten.get(customer, 0), record.timestamp)
    messages = []
    for department, topic in TOPICS.alerts.items():
        for record in records:
            data = _data(record) if record.topic == topic else None
            if data is None or record.timestamp <= forgotten.get(data["customerId"], -1):
                continue
            message_id = _json(record.value)["id"]
            journal = int(message_id.split("-")[-1])
            messages.append((journal, record.timestamp, topic, record.offset, department, message_id, data))
    table: Table = {}
    for *_, department, message_id, data in sorted(messages, key=lambda message: message[:4]):
        pair = (data["alertId"], data["customerId"])
        told = {department} | table.get(pair, {}).get("departments", set())
        table[pair] = {
            "rule": data["rule"],
            "state": data["state"],
            "severity": data["severity"],
            "time": int(datetime.fromisoformat(data["time"]).timestamp()) * 1_000_000,
            "reason": data["reason"],
            "action": data["action"],
            "evidence": data["evidence"],
            "customer": data["customer"],
            "historical": data["historical"],
            "muted": data.get("muted", False),
            "message_id": message_id,
            "departments": told,
        }
    return table


def _data(record: Record) -> dict[str, Any] | None:
    event = _json(record.value)
    return None if event is None else event["data"]


def _json(value: bytes | None) -> Any:
    try:
        return json.loads(value or b"")
    except ValueError:
        return None
