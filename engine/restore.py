"""Where a partition goes on, and its state read back from the compacted topics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from engine.errors import Fatal

log = structlog.get_logger("engine.restore")

POLL_MS = 500
BATCH_RECORDS = 5_000
PARTITION_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Positions:
    """What holds the moment after the fence: nobody else can add to it for this partition."""

    start: int
    ends: dict[TopicPartition, int]


async def read_positions(
    bootstrap: str, group_id: str, source: TopicPartition, restored: Sequence[TopicPartition]
) -> Positions:
    """The next input offset of ``source`` and the ends of the topics to restore from. Call it after the fence.

    The ends are high watermarks, not last stable offsets: the fence has ended this partition's own transactions, so
    everything that belongs to the state lies below the high watermark, while the last stable offset may be held back
    by another writer's open transaction and would cut off records of ours behind it.

    Without a committed offset, or when retention has deleted what followed it, the log's beginning is next.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group_id, enable_auto_commit=False)
    await consumer.start()
    try:
        committed: int | None = await consumer.committed(source)
        beginning: int = (await consumer.beginning_offsets([source]))[source]
        if committed is not None and committed < beginning:
            log.warning("records were deleted before they were read", source=source, next=committed, first=beginning)
        ends = await consumer.end_offsets(list(restored)) if restored else {}
        return Positions(max(committed or 0, beginning), ends)
    finally:
        await consumer.stop()


async def restore(
    bootstrap: str,
    ends: dict[TopicPartition, int],
    apply: Callable[[Sequence[ConsumerRecord]], None],
    stall_seconds: float,
) -> int:
    """Apply all committed records below ``ends``, partition after partition; return their number.

    Progress is judged by the fetch position: commit markers, aborted and compacted records leave holes, so that the
    last offset may belong to no record at all, or to none that is visible.

    Raises:
        Fatal: the position did not move for ``stall_seconds`` (an open transaction of another writer, or no broker;
            ``kafka-transactions.sh find-hanging`` tells of transactions that nobody will ever end).
        KafkaError: the broker could not be read.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=PARTITION_BYTES,
        fetch_max_wait_ms=100,
    )
    await consumer.start()
    try:
        count = 0
        for source, end in ends.items():
            consumer.assign([source])
            await consumer.seek_to_beginning(source)
            count += await _read(consumer, source, end, apply, stall_seconds)
        return count
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer,
    source: TopicPartition,
    end: int,
    apply: Callable[[Sequence[ConsumerRecord]], None],
    stall_seconds: float,
) -> int:
    count = 0
    loop = asyncio.get_running_loop()
    position, moved = await consumer.position(source), loop.time()
    while position < end:
        fetched = await consumer.getmany(source, timeout_ms=POLL_MS, max_records=BATCH_RECORDS)
        for records in fetched.values():
            wanted = [record for record in records if record.offset < end]
            if wanted:
                apply(wanted)
                count += len(wanted)
        before, position = position, await consumer.position(source)
        if position > before:
            moved = loop.time()
        elif loop.time() - moved > stall_seconds:
            raise Fatal(
                f"restore from partition {source.partition} of {source.topic} stands at {position} of {end} for "
                f"{stall_seconds:g} s: another writer's transaction is open (or hangs), or its broker is away"
            )
    return count
