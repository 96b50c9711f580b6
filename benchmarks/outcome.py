"""What a contestant has made of the backlog, read from its topics as anybody would read them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from core.timeline.entry import event_uid
from engine.kafka.reader import reader

from .topics import partitions_of

FETCH = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timeline:
    """``missing`` events of the backlog are not there, ``strange`` ones are, but were not in it.

    ``again`` counts records beyond the first of each; ``last`` is the broker's append time of the last (Unix seconds).
    """

    entries: int
    missing: int
    strange: int
    again: int
    late: int
    last: float

    @property
    def exact(self) -> bool:
        """It holds each event, and nothing else. Written twice under one key is held once."""
        return not self.missing and not self.strange


def entry_of(value: Mapping[str, Any]) -> tuple[str, bool] | None:
    """The uid of the entry's event and whether it came late; ``None`` for a record that is no entry.

    A peer writes the entry as the value; the bus as the ``data`` of a CloudEvent.
    """
    entry = value if "event" in value else value.get("data")
    event = entry.get("event") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(event, dict):
        return None
    return event_uid(event["source"], event["id"]), bool(entry.get("late"))


def alert_of(value: Mapping[str, Any]) -> tuple[str, str, str]:
    """Rule, id (with the customer's, where it has no other) and key of an alert; ``key`` is the peers' word for it."""
    alert = value.get("data", value)
    name = alert.get("alertId", alert.get("id"))
    return alert["rule"], f"{alert['customerId']}/{name}", str(alert.get("instanceKey", alert.get("key")) or "")


async def read_timeline(bootstrap: str, topic: str, events: frozenset[str]) -> Timeline:
    """Holds what stands there against the uids of the backlog. Raises ``KafkaError``."""
    seen: dict[str, bool] = {}
    records, last = 0, 0
    async for some in committed(bootstrap, [topic]):
        for record in some:
            found = entry_of(orjson.loads(record.value)) if record.value else None
            if found is not None:
                uid, late = found
                records += 1
                last = max(last, record.timestamp)
                seen[uid] = seen.get(uid, False) or late
    right = len(events & seen.keys())
    return Timeline(
        len(seen), len(events) - right, len(seen) - right, records - len(seen), sum(seen.values()), last / 1000
    )


async def read_alerts(bootstrap: str, topics: Sequence[str]) -> Mapping[str, int]:
    """Alerts by rule, each once however often and to whom it was told; not those that were taken back in the end."""
    standing: dict[str, str | None] = {}
    async for some in committed(bootstrap, topics):
        for record in some:
            value = orjson.loads(record.value)
            rule, name, _ = alert_of(value)
            standing[name] = None if value.get("data", {}).get("state") == "retracted" else rule
    return dict(sorted(Counter(rule for rule in standing.values() if rule is not None).items()))


async def committed(bootstrap: str, topics: Iterable[str]) -> AsyncIterator[Sequence[ConsumerRecord]]:
    """All committed records as they stand now, batch by batch, each partition in its order. Raises ``KafkaError``."""
    partitions = await asyncio.to_thread(partitions_of, bootstrap, topics)
    async with reader(bootstrap, isolation_level="read_committed", max_partition_fetch_bytes=FETCH) as consumer:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while behind := [tp for tp in partitions if await consumer.position(tp) < ends[tp]]:
            for records in (await consumer.getmany(*behind, timeout_ms=200)).values():
                yield records
