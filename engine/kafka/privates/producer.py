"""What a transaction needs of an aiokafka producer beside its public interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

Append = Callable[[int, int, bytes | None, bytes | None, list[tuple[str, bytes]]], object]
"""Appends a record by number, time (ms), key, value and headers; returns ``None`` when the batch is full."""


def can_abort(producer: AIOKafkaProducer) -> bool:
    """Whether this producer can still abort the current transaction."""
    return not producer._txn_manager.is_fatal_error()


def add_to_transaction(producer: AIOKafkaProducer, target: TopicPartition) -> None:
    """Add a partition to the transaction without records: its end gets a marker there."""
    producer._txn_manager.maybe_add_partition_to_txn(target)


def retrieve(producer: AIOKafkaProducer) -> None:
    """Retrieve the transaction's error: aiokafka raises it twice, and asyncio would log the second one, minutes
    later.
    """
    ended = producer._txn_manager.wait_for_transaction_end()
    if ended is not None and ended.done() and not ended.cancelled():
        ended.exception()


def appender(batch: Any) -> Append:
    """A function that appends records to a new batch, at half the cost of the batch's own. Then ``close`` the batch."""
    append: Append = batch._builder.append
    return append


def close(batch: Any, count: int) -> None:
    """Close the batch, to which ``count`` records were appended."""
    batch._relative_offset = count
    batch.close()
