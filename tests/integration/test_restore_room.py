"""Restores that share the memory for what is unpacked never wait for what they hold themselves."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from engine.kafka.limits import DecompressionLimits
from engine.kafka.privates import fetches
from engine.transactional.restore import restore

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

LIMIT = 8 * 1024 * 1024


@pytest.fixture(autouse=True)
def bounds() -> Iterator[None]:
    """Two batches may be unpacked for readers at a time."""
    fetches.install_bounded_fetching(DecompressionLimits(LIMIT, 8 * LIMIT))
    yield
    fetches.install_bounded_fetching(DecompressionLimits())


def test_two_restores_of_several_large_compressed_batches_both_come_to_their_end(bootstrap: str) -> None:
    topic = f"room-{uuid.uuid4().hex[:8]}"
    partitions = [TopicPartition(topic, number) for number in range(2)]

    async def story() -> list[int]:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic(topic, 2, 1)])
        await admin.close()
        async with AIOKafkaProducer(
            bootstrap_servers=bootstrap, compression_type="gzip", max_request_size=2 * LIMIT
        ) as producer:
            for tp in partitions * 3:
                await producer.send_and_wait(topic, bytes(LIMIT - 10_000), partition=tp.partition)
        both = (restore(bootstrap, {tp: 0}, {tp: 3}, lambda _: None, stall_seconds=15.0) for tp in partitions)
        return list(await asyncio.gather(*both))

    assert [3, 3] == asyncio.run(story())
