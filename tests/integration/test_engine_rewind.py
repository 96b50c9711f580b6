"""What Faust does at a rebalance, while records come: nothing is passed over."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from engine.faust.application import create_app
from engine.faust.rounds import rounds
from engine.faust.transport import BatchConsumer
from engine.transactional.batch import commit
from tests.integration.engine_shop import until

pytestmark = pytest.mark.kafka

PARTITIONS = 4


def test_nothing_is_passed_over_when_faust_rewinds_twice_at_once(
    bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a rebalance it does: for the flow that it stopped, and for the new assignment. The one that ends last does so
    when records are read, and held, again.
    """

    async def story() -> None:
        name = f"rewind-{uuid.uuid4().hex[:8]}"
        app = create_app(name, bootstrap=bootstrap, data_dir=tmp_path)
        reached = dict.fromkeys(range(PARTITIONS), 0)
        holes: list[tuple[int, int, int]] = []
        enough, working = asyncio.Event(), asyncio.Event()
        working.set()

        @app.agent(app.batch_topic(name, by_time=True), name="all")
        async def every(stream: Any) -> None:
            async for together in rounds(stream):
                for batch in together:
                    if batch.start > reached[batch.partition]:
                        holes.append((batch.partition, reached[batch.partition], batch.start))
                    reached[batch.partition] = max(reached[batch.partition], batch.end)
                await working.wait()
                commit(together)

        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
        await app.start()
        try:
            async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
                publishing = asyncio.create_task(_publish(producer, name, enough))
                consumer = cast("BatchConsumer", app.consumer)
                await until(lambda: all(reached.values()))
                asking: Any = consumer._thread._consumer
                asked, answer = threading.Event(), threading.Event()
                with monkeypatch.context() as patched:
                    late = partial(_late, asking.beginning_offsets, asked, answer)
                    patched.setattr(asking, "beginning_offsets", late)
                    first = asyncio.create_task(consumer.perform_seek())
                    await until(asked.is_set)
                working.clear()
                await consumer.perform_seek()
                await until(lambda: _holding(consumer) == PARTITIONS)
                answer.set()
                await first
                working.set()
                enough.set()
                ends = await publishing
                await until(lambda: reached == ends or app.failure is not None)
            assert app.failure is None
            assert [] == holes
        finally:
            app.conf.stream_wait_empty = False  # an agent that has failed is never done
            await app.stop()
            await admin.delete_topics([name])
            await admin.close()

    asyncio.run(story())


def _holding(consumer: BatchConsumer) -> int:
    """Partitions of which something was read that no agent has been given."""
    return sum(bool(buffer.held) for buffer in tuple(consumer._thread._buffers.values()))


async def _late(
    ask: Callable[..., Awaitable[Any]], asked: threading.Event, answer: threading.Event, *arguments: Any
) -> Any:
    """As on a machine with much else to do."""
    asked.set()
    await until(answer.is_set)
    return await ask(*arguments)


async def _publish(producer: AIOKafkaProducer, topic: str, enough: asyncio.Event) -> dict[int, int]:
    """Gives where each partition ends."""
    ends: dict[int, int] = {}
    while not enough.is_set():
        told = [await producer.send(topic, b"record", partition=partition) for partition in range(PARTITIONS)]
        ends |= {one.partition: one.offset + 1 for one in await asyncio.gather(*told)}
        await asyncio.sleep(0.01)
    return ends
