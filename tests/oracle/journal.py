"""The journal: folded in its order, partition by partition, into everything that must be written (design: idea 1)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from .contacts import department
from .customer import Customer, Move, Outcome, Refused, Written
from .entry import FOREVER, Arrival, arrival, rfc3339
from .notification import Said
from .profile import brief
from .rules import Rule, Rules
from .topics import Record, header


class Entered(NamedTuple):
    """A record of the timeline: its key, and its data, or ``None`` for a tombstone."""

    key: str
    data: Mapping[str, Any] | None


class Told(NamedTuple):
    """A message about an alert. ``place``: partition and offset of the journal record that led to it.

    ``bare``: it may come without evidence. ``envelope``: record key, and the message's source, type and time.
    """

    place: tuple[int, int]
    id: str
    data: Mapping[str, Any]
    bare: bool
    envelope: tuple[bytes, str, str, str]


@dataclass(slots=True)
class Journal:
    """The fold, and all that the journal's readers must have written by then."""

    rules: Rules
    customers: dict[str, Customer] = field(default_factory=dict)
    timeline: defaultdict[int, list[Entered]] = field(default_factory=lambda: defaultdict(list))
    alerts: defaultdict[tuple[str, int], list[Told]] = field(default_factory=lambda: defaultdict(list))
    letters: Counter[tuple[str, str, bytes]] = field(default_factory=Counter)
    forwarded: Counter[tuple[str, bytes]] = field(default_factory=Counter)
    moves: dict[str, Move] = field(default_factory=dict)
    waiting: int = 0
    _appended: dict[int, int] = field(default_factory=dict)

    def fold(self, logs: Mapping[int, Sequence[Record]]) -> None:
        """Each partition in its order; a part of a move waits until the customer has left. ``waiting``: those left."""
        positions = dict.fromkeys(logs, 0)
        moving = True
        while moving:
            moving = False
            for partition, log in logs.items():
                while positions[partition] < len(log) and self._can_take(log[positions[partition]]):
                    self._take(log[positions[partition]])
                    positions[partition] += 1
                    moving = True
        self.waiting = sum(len(log) - positions[partition] for partition, log in logs.items())

    def _can_take(self, record: Record) -> bool:
        return header(record, "kind") != "moved" or said(record)["move"] in self.moves

    def _take(self, record: Record) -> None:
        assert record.key is not None
        appended = max(self._appended.get(record.partition, 0), record.timestamp * 1000)
        self._appended[record.partition] = appended
        name = record.key.decode()
        customer = self.customers.setdefault(name, Customer(name, self.rules))
        kind = header(record, "kind")
        if customer.into is not None:
            if kind != "merge":
                self.forwarded[customer.into, record.value or b""] += 1
            return
        if kind == "merge":
            about = brief(customer) | {"open": [], "openCount": 0}
            outcome, move = customer.leave(said(record)["into"], said(record)["version"], appended)
            self.moves[move.name] = move
        else:
            take = self._part if kind == "moved" else self._event
            outcome = take(customer, record, appended)
            about = brief(customer)
        for one in outcome:
            self._write(customer, record, one, about)

    def _event(self, customer: Customer, record: Record, appended: int) -> list[Outcome]:
        replay = header(record, "replay") == str(True)
        return customer.take(came(record), appended, replay=replay)

    def _part(self, customer: Customer, record: Record, appended: int) -> list[Outcome]:
        part = said(record)
        brought = [arrival(e["event"], e["received"], e["origin"]) for e in part["entries"]]
        move = self.moves[part["move"]]
        ahead = customer.arriving.get(move.name, part["parts"])
        return customer.take_part(move, part["parts"], brought, appended, last=ahead == 1)

    def _write(self, customer: Customer, record: Record, one: Outcome, about: Mapping[str, Any]) -> None:
        place = record.partition, record.offset
        if isinstance(one, Written):
            data = None if one.arrival is None else entry(customer.id, one.arrival, late=one.late, moved=one.moved)
            self.timeline[record.partition].append(Entered(f"{customer.id}/{one.uid}", data))
        elif isinstance(one, Refused):
            self.letters[one.arrival.origin, "id-reused", canonical(one.arrival.event)] += 1
        else:
            alert = one.alert
            message_id = f"{alert.match.id}/{customer.id}/{one.state}/{place[0]}-{place[1]}"
            bare = one.state == "retracted" and not alert.standing
            kind = "resolved" if one.state == "expired" else one.state
            decided, rule = rfc3339(self._appended[record.partition]), self.rules[alert.match.rule]
            envelope = customer.id.encode(), "/cxbus", f"cx.alert.{kind}.v1", decided
            told = Told(place, message_id, message(one, rule, about), bare, envelope)
            for name in rule.departments:
                self.alerts[name, record.partition].append(told)


def said(record: Record) -> dict[str, Any]:
    """What the bus wrote to itself."""
    assert record.value is not None
    read: dict[str, Any] = orjson.loads(record.value)
    return read


def came(record: Record) -> Arrival:
    """The event in a journal or links record."""
    return arrival(said(record), int(header(record, "received")), header(record, "origin"))


def canonical(event: Mapping[str, Any]) -> bytes:
    """An event so that equal ones are equal bytes."""
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def entry(customer: str, came: Arrival, *, late: bool, moved: bool) -> dict[str, Any]:
    """The data of a timeline record."""
    return {
        "customerId": customer,
        "department": department(came.entry),
        "identifiers": [] if came.note else came.entry.data["customer"]["identifiers"],
        "at": came.entry.at,
        "received": came.received,
        "origin": came.origin,
        "late": late,
        "moved": moved,
        "event": came.event,
    }


def message(one: Said, rule: Rule, about: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a message about an alert; 1.8, and the words of the rule's file."""
    match = one.alert.match
    data = {
        "alertId": match.id,
        "rule": match.rule,
        "ruleVersion": rule.version,
        "state": one.state,
        "severity": rule.severity,
        "customerId": about["customerId"],
        "customer": about,
        "instanceKey": match.key,
        "departments": list(rule.departments),
        "time": rfc3339(match.time),
        "reason": rule.reason.format_map(defaultdict(lambda: "-", match.trigger)),
        "action": rule.action,
        "evidence": [
            {"source": e.source, "id": e.id, "type": e.type, "time": rfc3339(e.at), "values": values}
            for e, values in match.evidence
        ],
        "historical": one.alert.historical,
    }
    if match.expires < FOREVER:
        data["expiresAt"] = rfc3339(match.expires)
    if one.state in ("resolved", "expired"):
        data["endedAt"] = rfc3339(match.end)
    return data
