"""What stands on the bus's public topics, made from a seed: entries, profiles, alerts and who is who, in real shapes.

Profiles change often, customers merge (tombstones here, moved entries there), some are erased, a few records are no
good. ``unit`` is what one transaction of the bus writes; ``trap`` is what one that is aborted would have written.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from schemas.alerted import ALERTED
from schemas.outputs import ALERT_TYPES, PROFILE_UPDATED, TIMELINE_ENTRY, State
from schemas.topics import IDENTITIES, PROFILES, TIMELINE, alerts_topic, partition_of

START = 1_780_000_000_000_000
"""2026-05-28, in µs: when the first of these events happened."""
STEP = 37_000_000
"""µs between two events."""
NEW = 0.06
"""Of the deeds, those about somebody who was not known."""
DEEDS = {"entry": 50, "again": 6, "alert": 14, "known as": 8, "setting": 1, "merge": 4, "erase": 2, "poison": 1}
NAMES = ("Ada Lovelace", "Bjørn Ångström", "كريم", "小林 たけし", "Zoë \0 Nul", "Ｗｉｄｅ Ltd", "strasse & Straße")
NEXT: dict[str, tuple[State, ...]] = {
    "fired": ("updated", "resolved", "expired", "retracted"),
    "updated": ("updated", "resolved", "retracted"),
    "resolved": ("updated", "resolved"),
    "expired": ("retracted",),
    "retracted": ("fired",),
}


class Draft(NamedTuple):
    """A record that is to be written."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


@dataclass(slots=True)
class Customer:
    """What is known of a living customer."""

    id: str
    partition: int
    name: str | None
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    alerts: dict[str, State] = field(default_factory=dict)
    identifiers: list[str] = field(default_factory=list)
    was: list[str] = field(default_factory=list)
    """Ids of customers who were merged into this one."""


class Story:
    """Goes on for ever. The same seed and the same calls give the same records."""

    def __init__(self, seed: int, partitions: int) -> None:
        self._chance = random.Random(seed)
        self._partitions = partitions
        self._people: dict[str, Customer] = {}
        self._made = 0
        self._journal = [0] * partitions

    def unit(self, deeds: int) -> list[Draft]:
        """The records of one transaction."""
        drafts: list[Draft] = []
        for _ in range(deeds):
            deed = self._chance.choices(list(DEEDS), list(DEEDS.values()))[0]
            drafts += self._do(deed)
        return drafts

    def trap(self, deeds: int) -> list[Draft]:
        """Records that nobody may ever see: they delete, rename and invent. The story goes on as if never told."""
        drafts: list[Draft] = []
        for number in range(deeds):
            who = self._anybody()
            drafts.append(Draft(PROFILES, who.partition, who.id.encode(), None))
            drafts += [
                Draft(TIMELINE, who.partition, f"{who.id}/{uid}".encode(), None) for uid in list(who.entries)[:3]
            ]
            liar = Customer(who.id, who.partition, f"never {self._made}", was=who.was)
            drafts += self._profile(liar)
            drafts += self._entry(liar, f"{self._made:024x}{number:08x}")
            drafts += self._tell(liar, f"a_never{number:021x}", "fired")
            drafts.append(self._identity(f"i/never-{number}", {"id": who.id, "type": "email"}))
        return drafts

    # --- deeds ------------------------------------------------------------------------------------------------------

    def _do(self, deed: str) -> Iterator[Draft]:
        who = self._anybody()
        if deed == "entry":
            yield from self._entry(who, self._new())
            yield from self._profile(who)
        elif deed == "again" and who.entries:
            yield from self._entry(who, self._chance.choice(list(who.entries)), late=True)
        elif deed == "alert":
            yield from self._alert(who)
        elif deed == "known as":
            who.identifiers.append(f"i/{self._new()}")
            yield self._identity(who.identifiers[-1], {"id": who.id, "type": self._chance.choice(["email", "login"])})
        elif deed == "setting":
            yield self._identity("#salt", {"check": self._new()})
        elif deed == "merge":
            yield from self._merge(who, self._anybody())
        elif deed == "erase" and len(self._people) > 20:
            yield from self._erase(who)
        elif deed == "poison":
            value = self._chance.choice([b"\xff\xfe", b"{", b'{"specversion":"1.0"}', b"[]"])
            key = self._chance.choice([who.id, *(f"{who.id}/{uid}" for uid in who.entries)])
            yield Draft(TIMELINE if "/" in key else PROFILES, who.partition, key.encode(), value)

    def _anybody(self) -> Customer:
        if len(self._people) > 5 and self._chance.random() > NEW:
            return self._people[self._chance.choice(list(self._people))]
        name = self._chance.choice([None, *NAMES])
        customer_id = f"c_{self._new()}"
        self._people[customer_id] = Customer(
            customer_id, partition_of(customer_id, self._partitions), name and f"{name} {self._made}"
        )
        return self._people[customer_id]

    def _entry(self, who: Customer, uid: str, *, late: bool = False, moved: bool = False) -> Iterator[Draft]:
        at = START + self._made * STEP
        event = {
            "specversion": "1.0",
            "source": "/shop",
            "id": f"order-{uid}",
            "type": "sales.order.completed.v1",
            "time": "2026-05-28T20:26:40Z",
            "data": {"orderId": uid, "total": f"{self._made}.50", "currency": "EUR", "note": who.name},
        }
        data = {
            "customerId": who.id,
            "department": self._chance.choice(["sales", "service", "web"]),
            "identifiers": [{"type": "customer_no", "value": who.id}],
            "at": at,
            "received": at + 1_000_000,
            "late": late,
            "moved": moved,
            "event": event,
        }
        who.entries[uid] = data
        yield _draft(TIMELINE, who.partition, f"{who.id}/{uid}", TIMELINE_ENTRY, f"{who.id}/{uid}", data)

    def _profile(self, who: Customer) -> Iterator[Draft]:
        data = {
            "customerId": who.id,
            "name": who.name,
            "tier": self._chance.choice([None, "key"]),
            "identifiers": [{"type": "email", "value": "a…@example.com"}],
            "entries": len(who.entries),
            "open": [],
            "state": {"schema": 1, "memory": self._made},
        }
        yield _draft(PROFILES, who.partition, who.id, PROFILE_UPDATED, f"{who.id}/{self._tick(who.partition)}", data)

    def _alert(self, who: Customer) -> Iterator[Draft]:
        if who.alerts and self._chance.random() < 0.6:
            alert_id = self._chance.choice(list(who.alerts))
            state = self._chance.choice(NEXT[who.alerts[alert_id]])
        else:
            alert_id, state = f"a_{self._new()[:26]}", "fired"
        who.alerts[alert_id] = state
        yield from self._tell(who, alert_id, state)

    def _tell(self, who: Customer, alert_id: str, state: State) -> Iterator[Draft]:
        departments = self._chance.sample(ALERTED, self._chance.randint(1, 3))
        journal = self._tick(who.partition)
        data: dict[str, Any] = {
            "alertId": alert_id,
            "rule": "campaign-during-complaint",
            "ruleVersion": 1,
            "state": state,
            "severity": self._chance.choice(["info", "warning", "critical"]),
            "customerId": who.id,
            "customer": {"customerId": who.id, "name": who.name, "open": []},
            "instanceKey": f"S{self._made}",
            "departments": departments,
            "time": f"2026-05-28T20:{self._chance.randrange(60):02}:40.125Z",
            "reason": f"A campaign went to {who.name}.",
            "action": "Hold campaigns.",
            "evidence": [],
            "historical": self._chance.random() < 0.1,
        }
        if self._chance.random() < 0.7:
            data["expiresAt"] = "2026-06-11T20:26:40Z"
        if state not in ("fired", "updated"):
            data["endedAt"] = "2026-06-01T08:00:00+02:00"
        name = f"{alert_id}/{who.id}/{state}/{who.partition}-{journal}"
        for department in departments:
            yield _draft(alerts_topic(department), who.partition, who.id, ALERT_TYPES[state], name, data)

    def _merge(self, left: Customer, right: Customer) -> Iterator[Draft]:
        """The one that goes lives on as the other: his entries move, his alerts are told anew."""
        if left.id == right.id:
            return
        del self._people[left.id]
        for uid in left.entries:
            yield Draft(TIMELINE, left.partition, f"{left.id}/{uid}".encode(), None)
            yield from self._entry(right, uid, moved=True)
        for alert_id in left.alerts:
            yield from self._tell(left, alert_id, "retracted")
            right.alerts[alert_id] = "updated"
            yield from self._tell(right, alert_id, "updated")
        redirect = {"customerId": left.id, "identifiers": [], "mergedInto": right.id, "state": {"schema": 1}}
        version = self._tick(left.partition)
        yield _draft(PROFILES, left.partition, left.id, PROFILE_UPDATED, f"{left.id}/{version}", redirect)
        yield self._identity(f"c/{left.id}", {"mergedInto": right.id, "version": self._made})
        right.identifiers += left.identifiers
        right.was += [left.id, *left.was]
        yield from self._profile(right)

    def _erase(self, who: Customer) -> Iterator[Draft]:
        """Nothing is left of him, nor under the ids that he had before; here and there one more alert comes late."""
        del self._people[who.id]
        for uid in who.entries:
            yield Draft(TIMELINE, who.partition, f"{who.id}/{uid}".encode(), None)
        for customer_id in (who.id, *who.was):
            yield Draft(PROFILES, partition_of(customer_id, self._partitions), customer_id.encode(), None)
            yield Draft(IDENTITIES, 0, f"c/{customer_id}".encode(), None)
        for key in who.identifiers:
            yield Draft(IDENTITIES, 0, key.encode(), None)
        if self._chance.random() < 0.2:
            yield from self._tell(who, f"a_{self._new()[:26]}", "fired")

    def _identity(self, key: str, value: dict[str, Any]) -> Draft:
        return Draft(IDENTITIES, 0, key.encode(), orjson.dumps(value))

    def _new(self) -> str:
        self._made += 1
        return f"{self._chance.getrandbits(96):024x}{self._made:08x}"

    def _tick(self, partition: int) -> int:
        self._journal[partition] += 1
        return self._journal[partition]


def _draft(topic: str, partition: int, key: str, kind: str, name: str, data: dict[str, Any]) -> Draft:
    envelope = {"specversion": "1.0", "id": name, "source": "/cxbus", "type": kind, "time": "2026-05-28T20:26:40Z"}
    return Draft(topic, partition, key.encode(), orjson.dumps({**envelope, "data": data}))
