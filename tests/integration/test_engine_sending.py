"""Many senders, one partition: all get their turn."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from engine.transactional.transaction import Output, by_target, send_all
from tests.integration.engine_shop import shop

pytestmark = pytest.mark.kafka

SENDERS, SECONDS = 150, 5


def test_a_crowd_of_senders_to_one_partition_is_served_in_turn(bootstrap: str, tmp_path: Path) -> None:
    """aiokafka shortens a sender's time-out by all that has passed at each race for the slot that it loses."""

    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            producer = AIOKafkaProducer(
                bootstrap_servers=bootstrap, enable_idempotence=True, request_timeout_ms=SECONDS * 1000
            )
            async with producer:
                ends = await asyncio.gather(
                    *(
                        send_all(producer, by_target([Output(place.source.topic, 0, None, b"%d" % number)]), 900_000)
                        for number in range(SENDERS)
                    )
                )
            assert list(range(1, SENDERS + 1)) == sorted(end[TopicPartition(place.source.topic, 0)] for end in ends)
            assert [b"%d" % number for number in range(SENDERS)] == [
                one.value for one in await place.read(place.source)
            ]

    asyncio.run(story())
