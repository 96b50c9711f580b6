"""What the engine needs of an aiokafka consumer beside its public interface."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ConsumerStoppedError
from aiokafka.structs import OffsetAndMetadata

from engine.kafka.privates.fetches import TakenRecords, for_buffer, packed_size, waits_for_room


class ReadPosition(Protocol):
    """The read position of a partition: the next offset, and the last stable offset if the broker has sent it."""

    position: int
    lso: int | None


class Fetches:
    """The records that a consumer has fetched. Only for the consumer's own thread."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._fetcher: Any = consumer._fetcher
        self._subscriptions: Any = consumer._fetcher._subscriptions

    @property
    def closed(self) -> bool:
        """Whether nothing more will be fetched."""
        return bool(self._fetcher._closed)

    def check(self) -> None:
        """Raises ``ConsumerStoppedError``, and what keeps the consumer out of its group, as it would wait for ever."""
        if self._consumer._closed or self.closed:
            raise ConsumerStoppedError
        self._consumer._coordinator.check_errors()

    def asking(self) -> AbstractContextManager[None]:
        """A context in which the group counts the consumer as polling (``max.poll.interval.ms``)."""
        found: AbstractContextManager[None] = self._subscriptions.fetch_context()
        return found

    def next(self) -> asyncio.Future[None]:
        """A future that is done when more was fetched, or a fetch has failed."""
        waiter: asyncio.Future[None] = self._fetcher._create_fetch_waiter()
        return waiter

    @property
    def waiting(self) -> list[TopicPartition]:
        """Partitions with fetched records that nobody has taken."""
        return list(self._fetcher._records)

    def read_position(self, partition: TopicPartition) -> ReadPosition | None:
        """The read position of the partition; ``None`` while it is unknown, or if the partition is not assigned."""
        state = self._subscriptions.subscription.assignment.state_value(partition)
        return state if state is not None and state.has_valid_position else None

    @property
    def reassigning(self) -> bool:
        """Whether a reassignment of partitions is in progress."""
        return bool(self._subscriptions.reassignment_in_progress)

    def waits_for_room(self, partition: TopicPartition) -> bool:
        """Whether a fetched batch of the partition waits for memory to be decompressed."""
        return waits_for_room(self._fetcher._records.get(partition))

    async def take(self, partition: TopicPartition, most: int) -> tuple[TakenRecords, int]:
        """At most ``most`` records of the partition, which will wait for an agent; and the bytes of their fetch."""
        fetched = self._fetcher._records[partition]
        weight = packed_size(fetched)
        for_buffer(fetched)
        drained: Mapping[TopicPartition, TakenRecords] = await self._fetcher.fetched_records(
            {partition}, timeout=0, max_records=most
        )
        return drained.get(partition, TakenRecords()), weight


async def committed_offsets(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> Mapping[TopicPartition, OffsetAndMetadata]:
    """The offsets that the group has committed, all in one request. Raises ``KafkaError``."""
    found: Mapping[TopicPartition, OffsetAndMetadata] = await consumer._coordinator.fetch_committed_offsets(
        list(partitions)
    )
    return found


def is_assigned(consumer: AIOKafkaConsumer, partition: TopicPartition) -> bool:
    """Whether the partition is assigned. May be called from other threads."""
    return bool(consumer._subscription.is_assigned(partition))


def outside(consumer: AIOKafkaConsumer) -> str | None:
    """Why this is not a member of its group, in words; ``None`` if it is one. May be called from other threads."""
    coordinator, subscription = consumer._coordinator, consumer._subscription.subscription
    if coordinator.coordinator_id is None:
        return "the coordinator of the consumer group is unreachable"
    if not coordinator.member_id or coordinator.generation < 0:
        return "not a member of the consumer group"
    if subscription is None or coordinator.need_rejoin(subscription):
        return "the consumer group is rebalancing"
    return None


def displaced(consumer: AIOKafkaConsumer) -> bool:
    """Whether Kafka no longer knows the member. May be called from other threads."""
    return not consumer._coordinator.member_id


def will_leave(consumer: AIOKafkaConsumer) -> None:
    """Make this static member leave its group when it stops, as dynamic members do."""
    consumer._coordinator._group_instance_id = None


def client_of(consumer: AIOKafkaConsumer) -> Any:
    """The consumer's client, for requests that the consumer does not make by itself."""
    return consumer._client


async def close(consumer: AIOKafkaConsumer) -> None:
    """Release all that the consumer holds, whatever state it is in. Raises nothing.

    ``stop`` raises the cancellation of its own tasks (aiokafka issue 647: when they had hardly begun), which looks like
    that of the caller, and leaves the rest open.
    """
    if consumer._fetcher is not None:
        consumer._fetcher._records.clear()  # fetched and not taken
    ended: list[object] = await asyncio.gather(consumer.stop(), return_exceptions=True)
    if ended != [None]:
        parts = [part for part in (consumer._coordinator, consumer._fetcher, consumer._client) if part is not None]
        await asyncio.gather(*(part.close() for part in parts), return_exceptions=True)
