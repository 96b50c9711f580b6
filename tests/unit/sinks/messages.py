"""Hand-made records of the bus's public topics, in the shapes that the vocabulary gives them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.kafka.copies import Log, PartitionKey
from engine.kafka.mark import MARK
from engine.kafka.record import Record
from sinks.base import Topics

TOPICS = Topics(
    timeline="test.timeline",
    profiles="test.profiles",
    identities="test.identities",
    alerts={"sales": "test.alerts.sales", "service": "test.alerts.service"},
)
Headers = tuple[tuple[str, bytes], ...]
START_MS = 1_780_000_000_000
"""2026-05-28: when the broker took the first of these records."""


@dataclass(slots=True)
class Logs:
    """Partitions that grow. Every record comes a second after the one before, whatever its topic, unless ``tick_ms``
    says otherwise.
    """

    records: list[Record] = field(default_factory=list)
    tick_ms: int = 1000
    now_ms: int = START_MS - 1000
    ends: dict[PartitionKey, int] = field(default_factory=dict)
    cluster_id: str = "cluster-1"
    topic_ids: dict[str, str] = field(default_factory=dict)

    def append(
        self, topic: str, key: str | bytes | None, value: Any, *, partition: int = 0, headers: Headers = (MARK,)
    ) -> Record:
        """Append one record: ``value`` as JSON unless it is bytes, or None for a tombstone."""
        offset = self.ends.get((topic, partition), 0)
        self.ends[topic, partition] = offset + 1
        self.now_ms += self.tick_ms
        record = Record(
            topic,
            partition,
            offset,
            self.now_ms,
            key.encode() if isinstance(key, str) else key,
            value if value is None or isinstance(value, bytes) else json.dumps(value).encode(),
            headers,
        )
        self.records.append(record)
        return record

    def skip(self, topic: str, *, partition: int = 0, offsets: int = 1) -> None:
        """Leave a hole, as a transaction marker or compaction does."""
        self.ends[topic, partition] = self.ends.get((topic, partition), 0) + offsets

    def logs(self) -> dict[PartitionKey, Log]:
        """What the broker says of these partitions, with one at least for every topic."""
        ends = {(topic, 0): 0 for topic in TOPICS.kinds()} | self.ends
        return {
            (topic, number): Log(self.cluster_id, self.topic_ids.get(topic, f"{topic}-1"), 0, end)
            for (topic, number), end in ends.items()
        }


def cloudevent(kind: str, message_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An envelope of the bus."""
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": "/cxbus",
        "type": kind,
        "time": "2026-05-28T20:26:40Z",
        "datacontenttype": "application/json",
        "data": data,
    }


def entry(customer: str = "c_1", uid: str = "u1", *, at: int = 1_780_000_000_000_000, **more: Any) -> dict[str, Any]:
    """A timeline entry; ``more`` replaces fields of its ``data``."""
    data = {
        "customerId": customer,
        "department": "sales",
        "identifiers": [{"type": "email", "value": "ada@example.com"}],
        "at": at,
        "received": at + 1_000_000,
        "late": False,
        "moved": False,
        "event": {
            "specversion": "1.0",
            "source": "/shop",
            "id": f"order-{uid}",
            "type": "sales.order.completed.v1",
            "time": "2026-05-28T20:26:40Z",
            "data": {"orderId": uid, "total": "12.50", "currency": "EUR"},
        },
    }
    return cloudevent("cx.timeline.entry.v1", f"{customer}/{uid}", data | more)


def profile(customer: str = "c_1", name: str | None = "Ada Lovelace", **more: Any) -> dict[str, Any]:
    """A customer's profile with the engine's state; ``more`` replaces fields of its ``data``."""
    data = {
        "customerId": customer,
        "name": name,
        "identifiers": [{"type": "email", "value": "a…@example.com"}],
        "tier": "key",
        "open": [],
        "state": {"schema": 1, "streams": {}},
    }
    return cloudevent("cx.profile.updated.v1", f"{customer}/0-1", data | more)


def redirect(customer: str, into: str) -> dict[str, Any]:
    """The profile of a customer who lives on as another."""
    data = {"customerId": customer, "identifiers": [], "mergedInto": into, "state": {"schema": 1}}
    return cloudevent("cx.profile.updated.v1", f"{customer}/0-2", data)


def alert(
    customer: str = "c_1", alert_id: str = "a_1", state: str = "fired", *, journal: int = 1, **more: Any
) -> dict[str, Any]:
    """A message about an alert, decided by the journal record at offset ``journal``; ``more`` replaces fields."""
    data = {
        "alertId": alert_id,
        "rule": "campaign-during-complaint",
        "ruleVersion": 1,
        "state": state,
        "severity": "warning",
        "customerId": customer,
        "customer": {"customerId": customer, "name": "Ada Lovelace", "open": []},
        "instanceKey": "S1",
        "departments": ["sales", "service"],
        "time": "2026-05-28T20:26:40Z",
        "reason": "A campaign went to someone whose complaint is open.",
        "action": "Hold campaigns.",
        "evidence": [
            {
                "source": "/mail",
                "id": "m1",
                "type": "marketing.campaign.sent.v1",
                "time": "2026-05-28T20:26:40Z",
                "values": {"campaignId": "S1"},
            }
        ],
        "expiresAt": "2026-06-11T20:26:40Z",
        "historical": False,
    }
    kinds = {"expired": "resolved"}
    kind = f"cx.alert.{kinds.get(state, state)}.v1"
    return cloudevent(kind, f"{alert_id}/{customer}/{state}/0-{journal}", data | more)


def tell(logs: Logs, message: Mapping[str, Any], departments: tuple[str, ...] = ("sales", "service")) -> None:
    """Append one alert message to the topics of these departments, in the same instant."""
    tick_ms = logs.tick_ms
    for department in departments:
        logs.append(TOPICS.alerts[department], message["data"]["customerId"], message)
        logs.tick_ms = 0
    logs.tick_ms = tick_ms
