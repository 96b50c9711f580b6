"""What a transaction needs of an aiokafka producer beside what it offers everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

Append = Callable[[int, int, bytes | None, bytes | None, list[tuple[str, bytes]]], object]
"""Of number, time (ms), key, value and headers; returns ``None`` when there is no room."""


def can_abort(producer: AIOKafkaProducer) -> bool:
    """Whether the transaction under way can still be ended by this producer."""
    return not producer._txn_manager.is_fatal_error()


def add_to_transaction(producer: AIOKafkaProducer, target: TopicPartition) -> None:
    """The end of the transaction will be marked there, though nothing is written."""
    producer._txn_manager.maybe_add_partition_to_txn(target)


def retrieve(producer: AIOKafkaProducer) -> None:
    """aiokafka tells a failure twice; without this asyncio would log the second one, minutes later."""
    ended = producer._txn_manager.wait_for_transaction_end()
    if ended is not None and ended.done() and not ended.cancelled():
        ended.exception()


def appender(batch: Any) -> Append:
    """Puts records into a new batch, for half the price of the batch's own ``append``. ``close`` it then."""
    append: Append = batch._builder.append
    return append


def close(batch: Any, count: int) -> None:
    """So many records were put into it, and no more come."""
    batch._relative_offset = count
    batch.close()
