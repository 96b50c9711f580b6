"""What an event does to its customer: the timeline record, the document, the alerts."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import orjson

from .contacts import TOO_MANY, contacted, engaged, fatigued
from .matters import MATTERS, open_matters
from .rules import RULES
from .vocabulary import JSON, KEPT, KINDS, micros


class Result(NamedTuple):
    """What became of an event: its timeline record and the alerts, as JSON texts."""

    record: bytes
    alerts: list[bytes]


def uid_of(event: JSON) -> str:
    """What makes an event unique: 32 hex digits of its source and id."""
    return hashlib.sha256(f"{event['source']}\n{event['id']}".encode()).hexdigest()[:32]


def newcomer(customer: str) -> JSON:
    """The document of a customer of whom nothing is known yet."""
    return {
        "customerId": customer,
        "name": None,
        "entries": 0,
        "open": [],
        "lastContact": {},
        "standing": [],
        "state": {
            "lastAt": -1,
            "nameAt": -1,
            "engagedAt": -1,
            "contacts": [],
            "cases": {},
            "invoices": {},
            "opportunities": {},
        },
    }


def take(document: JSON, event: JSON, raw: bytes, uid: str) -> Result:
    """Puts a new event into its customer's document. ``raw`` is the event as JSON text."""
    kind = KINDS[event["type"]]
    data, time = event["data"], event["time"]
    state = document["state"]
    customer = document["customerId"]
    at = micros(time)
    late = at < state["lastAt"]
    document["entries"] += 1
    name = data["customer"].get("name")
    if name is not None and at >= state["nameAt"]:
        document["name"], state["nameAt"] = name, at
    if not late:
        state["lastAt"] = at
    if kind.entity is not None:
        MATTERS[kind.entity](state, kind.role, data, at)
        document["open"] = open_matters(state)
    if kind.engaged is not None and kind.engaged(data):
        engaged(state, at)
    contact = kind.contact is not None and kind.contact(data)
    if contact:
        contacted(document, kind.department, data, at)
    alerts: list[bytes] = []
    if contact and fatigued(state["contacts"], at):
        _tell(document, alerts, "contact-fatigue", "", uid, at, time, TOO_MANY)
    if kind.rule is not None:
        found = RULES[kind.rule](state, data, at)
        if found is not None:
            _tell(document, alerts, kind.rule, found[0], uid, at, time, found[1])
    record = orjson.dumps(
        {
            "customerId": customer,
            "uid": uid,
            "time": time,
            "department": kind.department,
            "late": late,
            "event": orjson.Fragment(raw),
        }
    )
    return Result(record, alerts)


def _tell(document: JSON, alerts: list[bytes], rule: str, key: str, uid: str, at: int, time: str, reason: str) -> None:
    """An alert, unless one of the same rule and key lies less than the cooldown away."""
    standing = document["standing"]
    for told in standing:
        if told["rule"] == rule and told["key"] == key and abs(at - told["at"]) < KEPT:
            return
    horizon = document["state"]["lastAt"] - KEPT
    document["standing"] = [told for told in standing if told["at"] > horizon]
    name = "a_" + hashlib.sha256(f"alert1\n{rule}\n{key}\nevent\n{uid}".encode()).hexdigest()[:26]
    document["standing"].append({"rule": rule, "key": key, "at": at, "id": name})
    alerts.append(
        orjson.dumps(
            {
                "id": name,
                "customerId": document["customerId"],
                "rule": rule,
                "key": key,
                "time": time,
                "reason": reason,
            }
        )
    )
