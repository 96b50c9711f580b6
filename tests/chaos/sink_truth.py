"""What a sink's database must hold, folded plainly from the topics; written from the documents, shares no code with it.

Every table, every column. Rows are keyed by what identifies them; JSON columns are compared as values.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from schemas.alerted import ALERTED
from schemas.topics import IDENTITIES, PROFILES, TIMELINE, alerts_topic

from .sink_log import Record

Row = dict[str, Any]
Table = dict[tuple[Any, ...], Row]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEPARTMENTS = {alerts_topic(department): department for department in ALERTED}


def truth(records: Iterable[Record], remembered: Mapping[str, int] = MappingProxyType({})) -> dict[str, Table]:
    """The tables after these records, those of each partition in the order of their offsets.

    ``remembered``: up to when (µs) customers were forgotten whose tombstones are not on the topics any more.
    """
    seen = list(records)
    forgotten = _forgotten(seen, remembered)
    messages = [
        (record, event)
        for record in seen
        if record.topic in DEPARTMENTS
        and (event := _event(record)) is not None
        and record.timestamp * 1000 > forgotten.get((event["data"]["customerId"],), {"until": -1})["until"]
    ]
    return {
        "timeline": _timeline(seen),
        "profiles": _profiles(seen),
        "identities": _identities(seen),
        "alerts": _alerts(messages),
        "alert_departments": _told(messages),
        "forgotten": forgotten,
    }


def _timeline(records: list[Record]) -> Table:
    table: Table = {}
    for record in records:
        if record.topic != TIMELINE:
            continue
        customer, _, uid = record.key.decode().rpartition("/")
        if record.value is None:
            table.pop((customer, uid), None)
        elif (event := _event(record)) is not None:
            data = event["data"]
            table[customer, uid] = {
                "customer_id": customer,
                "uid": uid,
                "department": data["department"],
                "type": data["event"]["type"],
                "at": data["at"],
                "received": data["received"],
                "time": data["event"]["time"],
                "source": data["event"]["source"],
                "event_id": data["event"]["id"],
                "data": data["event"]["data"],
                "identifiers": data["identifiers"],
                "late": int(data["late"]),
                "moved": int(data["moved"]),
                "log_partition": record.partition,
                "log_offset": record.offset,
            }
    return table


def _profiles(records: list[Record]) -> Table:
    table: Table = {}
    for record in records:
        if record.topic != PROFILES:
            continue
        customer = record.key.decode()
        if record.value is None:
            table.pop((customer,), None)
        elif (event := _event(record)) is not None:
            data = event["data"]
            table[(customer,)] = {
                "customer_id": customer,
                "merged_into": data.get("mergedInto"),
                "name": _text(data.get("name")),
                "name_folded": _folded(data.get("name")),
                "tier": data.get("tier"),
                "document": {name: value for name, value in data.items() if name != "state"},
                "updated": record.timestamp * 1000,
                "log_partition": record.partition,
                "log_offset": record.offset,
            }
    return table


def _identities(records: list[Record]) -> Table:
    table: Table = {}
    for record in records:
        if record.topic != IDENTITIES:
            continue
        key = record.key.decode()
        if record.value is None:
            table.pop((key,), None)
            continue
        value = json.loads(record.value)
        identifier, customer = key.startswith("i/"), key.startswith("c/")
        table[(key,)] = {
            "key": key,
            "customer_id": value["id"] if identifier else key[2:] if customer else None,
            "type": value["type"] if identifier else None,
            "merged_into": value["mergedInto"] if customer else None,
            "document": value,
            "log_offset": record.offset,
        }
    return table


def _forgotten(records: list[Record], remembered: Mapping[str, int]) -> Table:
    """When each customer's profile was last deleted."""
    table: Table = {(customer,): {"customer_id": customer, "until": until} for customer, until in remembered.items()}
    for record in records:
        if record.topic == PROFILES and record.value is None:
            customer, until = record.key.decode(), record.timestamp * 1000
            before = table.get((customer,), {"until": until})["until"]
            table[(customer,)] = {"customer_id": customer, "until": max(before, until)}
    return table


def _alerts(messages: list[tuple[Record, Row]]) -> Table:
    """The last word on each alert: that of the latest journal record, and of several copies of it one."""
    table: Table = {}
    for record, event in sorted(messages, key=lambda told: _order(*told)):
        data = event["data"]
        table[data["alertId"], data["customerId"]] = {
            "alert_id": data["alertId"],
            "customer_id": data["customerId"],
            "rule": data["rule"],
            "rule_version": data["ruleVersion"],
            "instance_key": data["instanceKey"],
            "severity": data["severity"],
            "state": data["state"],
            "time": _micros(data["time"]),
            "expires_at": _micros(data.get("expiresAt")),
            "ended_at": _micros(data.get("endedAt")),
            "reason": _text(data["reason"]),
            "action": data["action"],
            "evidence": data["evidence"],
            "customer": data["customer"],
            "name_folded": _folded(data["customer"]["name"]),
            "historical": int(data["historical"]),
            "muted": int(data.get("muted", False)),
            "source": event["source"],
            "message_id": event["id"],
            "journal_offset": _journal(event),
            "recorded": record.timestamp * 1000,
            "topic": record.topic,
            "log_partition": record.partition,
            "log_offset": record.offset,
        }
    return table


def _told(messages: list[tuple[Record, Row]]) -> Table:
    """Who was told of each alert, and when last."""
    table: Table = {}
    for record, event in sorted(messages, key=lambda told: told[0].timestamp):
        data = event["data"]
        department = DEPARTMENTS[record.topic]
        table[data["alertId"], data["customerId"], department] = {
            "alert_id": data["alertId"],
            "customer_id": data["customerId"],
            "department": department,
            "recorded": record.timestamp * 1000,
        }
    return table


def _order(record: Record, event: Row) -> tuple[int, int, str, int]:
    return (_journal(event), record.timestamp, record.topic, record.offset)


def _journal(event: Row) -> int:
    return int(re.findall(r"-(\d+)$", event["id"])[0])


def _event(record: Record) -> Row | None:
    """The record's event, or None for what is none."""
    try:
        event = json.loads(record.value or b"")
    except ValueError:
        return None
    return event if isinstance(event, dict) and "data" in event else None


def _micros(time: str | None) -> int | None:
    if time is None:
        return None
    passed = datetime.fromisoformat(time) - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _text(text: str | None) -> str | None:
    """U+0000 can't stand in a database's text."""
    return text if text is None else text.replace("\0", "\ufffd")


def _folded(name: str | None) -> str | None:
    """Without case and accents, for search."""
    if name is None:
        return None
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", str(_text(name))).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
