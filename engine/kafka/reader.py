"""A consumer for a moment: no group, no commits, and it lets go of everything at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer

from engine.kafka.aiokafka_internals import let_go


@asynccontextmanager
async def reader(bootstrap: str, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that is connected while the block runs. Raises ``KafkaError``."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, **options)
    try:
        await consumer.start()
        yield consumer
    finally:
        let_go(consumer)
        await _stop(consumer)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    """``stop`` lets the cancellation of its own tasks out (aiokafka issue 647: when they had hardly begun), which looks
    like that of the caller, and leaves the rest as it is.
    """
    ended: list[object] = await asyncio.gather(consumer.stop(), return_exceptions=True)
    if ended != [None]:
        parts = [part for part in (consumer._coordinator, consumer._fetcher, consumer._client) if part is not None]
        await asyncio.gather(*(part.close() for part in parts), return_exceptions=True)
