"""A record whose header names are no UTF-8 must not block its partition."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaProducer

from agents.topic_admin import apply
from engine.kafka.privates.fetches import install_bounded_fetching
from schemas.topics import Topic

pytestmark = pytest.mark.kafka


class Raw(str):
    """A header name as a client in another language may send it."""

    __slots__ = ()

    def encode(self, *args: Any, **kwargs: Any) -> bytes:
        return b"\xff\xfename"


@pytest.mark.parametrize("compression", [None, "snappy"])
def test_a_header_name_that_is_no_utf_8_is_read_with_replacement_characters(
    bootstrap: str, compression: str | None
) -> None:
    install_bounded_fetching()
    topic = f"headers-{uuid.uuid4().hex[:8]}"
    apply(bootstrap, [Topic(topic, 1, 1, "delete", 1024 * 1024)])
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=100, compression_type=compression)
    sent = [producer.send(topic, b"%d" % n, headers=[(Raw("x") if n % 3 == 1 else "x", b"h")]) for n in range(7)]
    for one in sent:
        one.get(10)
    producer.close()
    found = asyncio.run(_read(bootstrap, topic))
    assert [(b"%d" % n, "��name" if n % 3 == 1 else "x") for n in range(7)] == found


async def _read(bootstrap: str, topic: str) -> list[tuple[bytes, str]]:
    """Everything, after an aborted transaction in front of the end, which must not show."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{topic}-t") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted", partition=0)
        await producer.abort_transaction()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        found: list[tuple[bytes, str]] = []
        while len(found) < 7:
            for records in (await consumer.getmany(timeout_ms=5000)).values():
                found += [(record.value, record.headers[0][0]) for record in records]
        assert not await consumer.getmany(timeout_ms=300)
        return found
    finally:
        await consumer.stop()
