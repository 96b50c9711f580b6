"""One Kafka transaction: the outputs of a batch and the input offset after it, all or nothing."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced

from engine.kafka.errors import Fatal, RecordTooLarge, TakenOver
from engine.kafka.limits import Limits
from engine.kafka.mark import MARK
from engine.kafka.privates.producer import add_to_transaction, appender, can_abort, close, retrieve
from engine.kafka.time_limit import time_limit

ABORT_SECONDS = 3.0

#: Room for lengths, attributes and the batch header that precede a record's own bytes.
RECORD_OVERHEAD_BYTES = 128


class Output(msgspec.Struct, frozen=True, gc=False):
    """A record to write. The caller always gives the partition: the engine never chooses.

    ``marked``: it gets the mark of the bus's own records. A dead letter keeps the headers of another sender instead.
    """

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    marked: bool = True


def headers_of(record: Output) -> list[tuple[str, bytes]]:
    """The headers as they are written: with the mark, unless the record goes without or, being forwarded, has it."""
    headers = [*record.headers]
    if record.marked and MARK not in headers:
        headers.append(MARK)
    return headers


Targets = Mapping[TopicPartition, Sequence[Output]]
"""Outputs by their target partition, in order."""


def by_target(outputs: Iterable[Output]) -> Targets:
    """Group the outputs by target partition."""
    found: defaultdict[tuple[str, int], list[Output]] = defaultdict(list)
    for output in outputs:
        found[output.topic, output.partition].append(output)
    return {TopicPartition(*place): group for place, group in found.items()}


def new_producer(bootstrap: str, transactional_id: str, limits: Limits) -> AIOKafkaProducer:
    """A producer that is not started yet. Starting it fences older producers of its id and ends their transactions."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=transactional_id,
        transactional_id=transactional_id,
        transaction_timeout_ms=int(limits.transaction * 1000),
        enable_idempotence=True,
        max_batch_size=limits.batch_bytes,
        compression_type=limits.compression,
        retry_backoff_ms=limits.retry_backoff_ms,
        request_timeout_ms=int(limits.answer * 1000),
    )


async def commit(
    producer: AIOKafkaProducer,
    source: TopicPartition,
    position: int | None,
    group_id: str,
    targets: Targets,
    limits: Limits,
) -> dict[TopicPartition, int]:
    """Write the outputs and the offset ``position`` of ``source`` in one transaction; return the end of each target.

    A position of ``None`` is not committed to the group, which saves two requests.

    Every batch is awaited before the commit: aiokafka commits successfully although a batch was refused. A failure
    before the commit request aborts the transaction, so that readers need not wait for its time-out; later, its outcome
    is unknown until the next fence.

    Raises:
        TakenOver: a newer producer with the same transactional id exists, or the transaction timed out.
        RecordTooLarge: before anything is sent.
        Fatal: Kafka did not answer. Whether the transaction was committed is then unknown.
        KafkaError: Kafka refused.
    """
    abortable = False
    try:
        async with time_limit(limits.answer):
            await producer.begin_transaction()
            abortable = True
            ends = await send_all(producer, targets, limits.batch_bytes)
            if position is not None:
                await producer.send_offsets_to_transaction({source: position}, group_id)
            abortable = False
            await producer.commit_transaction()
            return ends
    except (ProducerFenced, InvalidProducerEpoch) as error:
        retrieve(producer)
        raise TakenOver(source.topic, source.partition) from error
    except TimeoutError as error:
        message = f"partition {source.partition} of {source.topic}: no answer from Kafka for {limits.answer:g} s"
        raise Fatal(message) from error
    except (Fatal, KafkaError, asyncio.CancelledError):
        if abortable and can_abort(producer):
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.abort_transaction(), ABORT_SECONDS)
        retrieve(producer)
        raise


async def sweep(producer: AIOKafkaProducer, targets: Collection[TopicPartition]) -> None:
    """End whatever an older producer of the same transactional id has left open in ``targets``. Call it after the
    fence.

    The fence ends what the coordinator knows of. Kafka 4.3 forgets partitions whose leader is not yet elected when a
    transaction times out while a killed broker starts: their records would block every ``read_committed`` reader for
    ever, and the *next* commit of this producer id would make them visible, beside their repetition. An aborted
    transaction without records writes an abort marker after them.

    Raises:
        KafkaError: the targets may still hold such records.
    """
    if targets:
        await producer.begin_transaction()
        for target in targets:
            add_to_transaction(producer, target)
        await producer.abort_transaction()


#: One sender at a time waits for a partition's slot: aiokafka 0.14 shortens its time-out at each lost race for it,
#: so that of 30 senders 11 were refused, the first after 4 of its 40 seconds.
_turns: WeakKeyDictionary[AIOKafkaProducer, dict[TopicPartition, asyncio.Lock]] = WeakKeyDictionary()


async def send_all(producer: AIOKafkaProducer, targets: Targets, limit: int) -> dict[TopicPartition, int]:
    """Send to all target partitions concurrently, the batches of each in order; return when the broker has acknowledged
    all.

    Returns the offset after the last record of each target (a low one where the broker did not say: it had stored the
    batch before, and its first answer was lost).
    """
    packed = {target: list(pack(producer, records, limit)) for target, records in targets.items()}
    ends = await asyncio.gather(*(_send(producer, target, batches) for target, batches in packed.items()))
    return dict(zip(packed, ends, strict=True))


async def _send(producer: AIOKafkaProducer, target: TopicPartition, batches: Sequence[Any]) -> int:
    turns = _turns.setdefault(producer, {})
    async with turns.setdefault(target, asyncio.Lock()):
        sent = [await producer.send_batch(batch, target.topic, partition=target.partition) for batch in batches]
    last = (await asyncio.gather(*sent))[-1]
    return int(last.offset) + int(batches[-1].record_count())


def pack(producer: AIOKafkaProducer, records: Sequence[Output], limit: int) -> Iterator[Any]:
    """Closed aiokafka batches that hold ``records`` in order, each at most ``limit`` bytes before compression.

    Raises:
        RecordTooLarge: one record alone exceeds the limit (aiokafka accepts any first record, the broker would not).
    """
    now, at = int(time.time() * 1000), 0
    while at < len(records):
        first = records[at]
        if _size(first) > limit:
            raise RecordTooLarge(first.topic, len(first.key or b""), len(first.value or b""), limit)
        batch = producer.create_batch()
        at += _fill(batch, islice(records, at, None), now)
        yield batch


def _fill(batch: Any, records: Iterable[Output], now: int) -> int:
    """Append records to a new batch until it is full, and close it; returns how many were appended. ``now`` in ms."""
    append, count = appender(batch), 0
    for record in records:
        if append(count, now, record.key, record.value, headers_of(record)) is None:
            break
        count += 1
    close(batch, count)
    return count


def _size(record: Output) -> int:
    size = RECORD_OVERHEAD_BYTES + len(record.key or b"") + len(record.value or b"")
    for name, value in record.headers:
        size += len(name.encode()) + len(value) + 10
    return size
