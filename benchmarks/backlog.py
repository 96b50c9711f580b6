"""The backlog that every contestant works off: written once, stamped as if each event had come when it happened."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer

from core.timeline.entry import event_uid

from .traffic import Published

BATCH_BYTES = 32 * 1024
"""About a hundred events: what a department's busy producer sends at once."""

UNDER_WAY = 256
SHOWN = 100_000


@dataclass(frozen=True, slots=True)
class Backlog:
    """``records`` are what stands on the topics, ``events`` the uids of those that differ."""

    records: int
    events: frozenset[str]


async def fill(
    bootstrap: str, published: Iterable[Published], partitions: int, say: Callable[[str], None] = print
) -> Backlog:
    """Writes everything in its order, acknowledged. Raises ``KafkaError``."""
    events: set[str] = set()
    records = 0
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=BATCH_BYTES)
    await producer.start()
    try:
        waiting: set[asyncio.Future[Any]] = set()
        for topic, partition, batch in _batched(producer, _noted(published, events), partitions):
            records += batch.record_count()
            if records % SHOWN < batch.record_count():
                say(f"{records:,} events published")
            waiting.add(await producer.send_batch(batch, topic, partition=partition))
            if len(waiting) >= UNDER_WAY:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
        for one in waiting:
            await one
    finally:
        await producer.stop()
    return Backlog(records, frozenset(events))


def _noted(published: Iterable[Published], events: set[str]) -> Iterator[Published]:
    for one in published:
        events.add(event_uid(*one.event))
        yield one


def _batched(
    producer: AIOKafkaProducer, published: Iterable[Published], partitions: int
) -> Iterator[tuple[str, int, Any]]:
    """Closed batches with their places, in the order in which they are full."""
    open_ones: dict[tuple[str, int], Any] = {}
    for one in published:
        place = one.topic, zlib.crc32(one.key) % partitions
        batch = open_ones.get(place)
        if batch is None or _append(batch, one) is None:
            if batch is not None:
                batch.close()
                yield *place, batch
            batch = open_ones[place] = producer.create_batch()
            _append(batch, one)
    for place, batch in open_ones.items():
        batch.close()
        yield *place, batch


def _append(batch: Any, one: Published) -> Any:
    return batch.append(key=one.key, value=one.value, timestamp=one.at // 1000)
