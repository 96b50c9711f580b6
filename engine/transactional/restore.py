"""Finds the position of a partition, and restores its state from the compacted topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from engine.kafka.checkpoint import Bounds
from engine.kafka.cluster import identify
from engine.kafka.errors import Fatal
from engine.kafka.privates.consumer import client_of
from engine.kafka.reader import reader
from engine.kafka.record import KafkaRecord
from engine.kafka.time_limit import time_limit
from engine.transactional.progress import ProgressLog, next_offset, read_progress

POLL_MS = 500
BATCH_RECORDS = 5_000
PARTITION_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions right after the fence: nobody else can write for this partition any more.

    ``start``: the next input offset. ``committed``: the group's committed offset, if any. ``lost``: offsets that were
    deleted before they were read, at most. ``topic_id``: of the input topic. ``bounds``: of the topics from which the
    state is restored. ``searched``: of all that is searched for foreign records: these topics and the progress topic.
    ``seen``: where the search resumes.
    """

    start: int
    committed: int | None
    lost: int
    topic_id: str
    bounds: Bounds
    searched: Bounds
    seen: Mapping[TopicPartition, int]


async def read_positions(
    bootstrap: str, group_id: str, source: TopicPartition, restored: Sequence[TopicPartition], log: ProgressLog
) -> Positions:
    """Find the next offset of ``source``, and what there is to restore from. Call it after the fence.

    The ends are high watermarks, not last stable offsets: the fence has ended this partition's own transactions, so
    everything that belongs to the state lies below the high watermark, while another writer's open transaction may hold
    back the last stable offset, and records of the bus after it would be missed.

    Without any progress, or when retention has deleted what followed it, the log's beginning is next.
    """
    place = log.place(source.partition)
    reached = await read_progress(bootstrap, place, log.key(source.partition))
    async with reader(bootstrap, group_id=group_id) as consumer:
        committed: int | None = await consumer.committed(source)
        here = await read_bounds(consumer, [source])
        everything = [*restored, place]
        searched = (await read_bounds(consumer, everything)).of(everything)
    topic_id = here.cluster.topics[source.topic]
    known, first = next_offset(committed, reached, topic_id), here.begins[source]
    lost = max(0, first - known) if known else 0
    seen = _seen(searched, reached.seen if reached else {})
    return Positions(max(known, first), committed, lost, topic_id, searched.of(restored), searched, seen)


def _seen(searched: Bounds, told: Mapping[str, int]) -> dict[TopicPartition, int]:
    seen = {tp: told.get(searched.cluster.name(tp), 0) for tp in searched.ends}
    return {tp: min(max(offset, searched.begins[tp]), searched.ends[tp]) for tp, offset in seen.items()}


async def read_bounds(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> Bounds:
    """First and next offsets as ``consumer`` sees them: after open transactions, unless it reads with read_committed.

    Raises:
        KafkaError: the broker could not be read.
    """
    cluster = await identify(client_of(consumer), (tp.topic for tp in partitions))
    begins = await consumer.beginning_offsets(list(partitions)) if partitions else {}
    ends = await consumer.end_offsets(list(partitions)) if partitions else {}
    return Bounds(begins, ends, cluster)


async def restore(
    bootstrap: str,
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    apply: Callable[[Sequence[KafkaRecord]], object],
    stall_seconds: float,
    reached: Callable[[Mapping[TopicPartition, int]], None] = lambda _: None,
    isolation_level: str = "read_committed",
) -> int:
    """Apply all committed records from ``starts`` up to ``ends``, partition after partition; return their number.

    ``reached`` is called now and then with the offsets up to which everything was applied.

    Progress is judged by the fetch position: commit markers, aborted and compacted records leave gaps, so that the last
    offset may belong to no visible record.

    Raises:
        Fatal: the position did not move for ``stall_seconds`` (an open transaction of another writer, or no broker;
            ``kafka-transactions.sh find-hanging`` lists transactions that nobody will ever end).
        KafkaError: the broker could not be read.
    """
    count, offsets = 0, dict(starts)
    async with reader(
        bootstrap,
        isolation_level=isolation_level,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=PARTITION_BYTES,
        fetch_max_wait_ms=100,
    ) as consumer:
        for source, end in ends.items():

            def moved(position: int, source: TopicPartition = source) -> None:
                offsets[source] = position
                reached(dict(offsets))

            consumer.assign([source])
            consumer.seek(source, starts[source])
            count += await _read(consumer, source, end, apply, moved, stall_seconds)
    return count


async def _read(
    consumer: AIOKafkaConsumer,
    source: TopicPartition,
    end: int,
    apply: Callable[[Sequence[KafkaRecord]], object],
    reached: Callable[[int], None],
    stall_seconds: float,
) -> int:
    count, position = 0, await consumer.position(source)
    try:
        async with time_limit(stall_seconds) as waiting:
            while position < end:
                fetched = await consumer.getmany(source, timeout_ms=POLL_MS, max_records=BATCH_RECORDS)
                for records in fetched.values():
                    wanted = [record for record in records if record.offset < end]
                    if wanted:
                        apply(wanted)
                        count += len(wanted)
                    del records, wanted  # their memory is reserved, and the next fetch may wait for it
                fetched.clear()
                before, position = position, await consumer.position(source)
                if position > before:
                    waiting.renew()
                    reached(min(position, end))
    except TimeoutError as error:
        raise Fatal(
            f"restore from partition {source.partition} of {source.topic} has been at {position} of {end} for "
            f"{stall_seconds:g} s: a transaction of another producer is open (or hangs), or the broker is unreachable"
        ) from error
    return count
