"""A broker that is killed when its groups have committed very often: it must not lose its mind (ADR 12)."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from kafka.admin import KafkaAdminClient, NewTopic

from deploy.broker import EmbeddedBroker

COMMITS, COMMITTERS, KILLS = 60_000, 8, 3
MOST_BYTES = 4 * 1024 * 1024
"""Of what a broker has to read of its groups before it can answer. 60,000 commits are 10 MiB."""
PAUSE = 30.0
"""Seconds in which commits must be taken again after the broker is back."""


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
def test_groups_commit_again_after_a_broker_with_many_commits_was_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        admin.create_topics([NewTopic("topic", 1, 1)])
        admin.close()
        pauses = asyncio.run(scenario(broker))
        size = sum(file.stat().st_size for file in tmp_path.glob("kafka/topics/__consumer_offsets-*/*.log"))
    with capsys.disabled():
        print(f"\nrow commits: {size / 1024:.0f} KiB of offsets; taken again after {pauses} s")
    assert size < MOST_BYTES
    assert max(pauses) < PAUSE


async def scenario(broker: EmbeddedBroker) -> list[float]:
    """Commits, and kills in the middle of them; the seconds until commits were taken again after each."""
    async with asyncio.timeout(600):
        consumers = [await committer(broker.bootstrap) for _ in range(COMMITTERS)]
        await commit(consumers, COMMITS)
        pauses = []
        for _ in range(KILLS):
            busy = asyncio.create_task(commit(consumers, COMMITS))
            await asyncio.sleep(2)
            os.killpg(broker.group, signal.SIGKILL)
            await asyncio.to_thread(broker.stop)
            await asyncio.to_thread(broker.start)
            back = time.monotonic()
            await commit(consumers, 1)
            pauses.append(round(time.monotonic() - back, 1))
            await busy
        for consumer in consumers:
            await consumer.stop()
    return pauses


async def committer(bootstrap: str) -> AIOKafkaConsumer:
    """A consumer of the one group that only commits."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id="busy", enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition("topic", 0)])
    return consumer


async def commit(consumers: Sequence[AIOKafkaConsumer], times: int) -> None:
    """So many commits, all consumers at once, each again until it was taken."""
    left = times

    async def one(consumer: AIOKafkaConsumer) -> None:
        nonlocal left
        while left > 0:
            try:
                async with asyncio.timeout(5):
                    await consumer.commit({TopicPartition("topic", 0): OffsetAndMetadata(left, "x" * 40)})
                left -= 1
            except (KafkaError, TimeoutError):
                await asyncio.sleep(0.05)

    await asyncio.gather(*(one(consumer) for consumer in consumers))
