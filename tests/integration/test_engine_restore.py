"""Restoring state from compacted topics, whatever transactions have left in them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from engine.kafka.errors import Fatal
from engine.transactional.restore import read_positions, restore
from engine.transactional.transaction import Output
from tests.integration.engine_shop import Notes, shop

pytestmark = pytest.mark.kafka


def test_restoring_an_empty_or_wholly_aborted_topic_ends(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            assert [] == await place.read(place.target)
            async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{place.name}-x") as producer:
                for _ in range(3):
                    await producer.begin_transaction()
                    await producer.send_and_wait(place.target.topic, b"aborted", b"k", partition=0)
                    await producer.abort_transaction()
            assert [] == await place.read(place.target)

    asyncio.run(story())


def test_a_restore_reads_committed_records_behind_another_writers_open_transaction(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            other = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{place.name}-other")
            await other.start()
            try:
                await other.begin_transaction()
                await other.send_and_wait(place.target.topic, b"open", b"k", partition=0)
                async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{place.name}-0") as mine:
                    await mine.begin_transaction()
                    await mine.send_and_wait(place.target.topic, b"mine", b"k", partition=0)
                    await mine.commit_transaction()
                found = await read_positions(bootstrap, place.name, place.source, [place.target], place.progress)
                begins, ends = found.bounds.begins, found.bounds.ends
                with pytest.raises(Fatal, match="a transaction of another producer is open"):
                    await restore(bootstrap, begins, ends, lambda _: None, 2)
                values: list[bytes] = []
                reading = asyncio.create_task(
                    restore(bootstrap, begins, ends, lambda records: values.extend(one.value for one in records), 15)
                )
                await asyncio.sleep(1)
                assert not reading.done()
                await other.abort_transaction()
                assert 1 == await reading
                assert [b"mine"] == values
            finally:
                await other.stop()

    asyncio.run(story())


async def hang(bootstrap: str, transactional_id: str, *targets: TopicPartition) -> None:
    """Leave records in ``targets`` whose transaction the coordinator has forgotten.

    Kafka does that by itself when a killed broker comes back slowly. Here the broker is told not to verify for a
    moment, so that a producer can write without adding the partition to its transaction.
    """
    verify = "transaction.partition.verification.enable"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    broker = str((await admin.describe_cluster())["brokers"][0]["node_id"])
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=transactional_id)
    await producer.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, broker, {verify: "false"})])
        await asyncio.sleep(1)  # the broker learns of it through the metadata log
        await producer.begin_transaction()
        producer._txn_manager._txn_partitions.update(targets)
        for target in targets:
            await producer.send_and_wait(target.topic, b"never committed", b"k", partition=target.partition)
        producer._txn_manager._txn_partitions.clear()
        await producer.abort_transaction()
    finally:
        await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, broker, {verify: "true"})])
        await producer.stop()
        await admin.close()


@pytest.mark.skipif("CXBUS_BOOTSTRAP" in os.environ, reason="changes the broker's settings for a moment")
def test_transactions_that_the_coordinator_has_forgotten_neither_stop_the_restore_nor_come_back(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(3))
            records = await place.read(place.source)
            alerts = TopicPartition(f"{place.name}.narrow", 0)
            await hang(bootstrap, f"{place.name}-0", place.target, alerts)
            with pytest.raises(Fatal, match="a transaction of another producer is open \\(or hangs\\)"):
                await restore(bootstrap, {place.target: 0}, {place.target: 1}, lambda _: None, 2)
            notes = Notes()
            owner = await place.open(notes)
            assert ["fenced", "restored 0"] == notes.happened
            place.processors[-1].adds = Output(alerts.topic, 0, b"k", b"an alert")
            await place.hand(owner, records)
            assert [("0", 1), ("1", 1), ("2", 1)] == await place.counted()
            assert [b"an alert"] == [record.value for record in await place.read(alerts)]

    asyncio.run(story())
