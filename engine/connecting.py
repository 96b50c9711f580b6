"""To connect to Kafka, and to be interrupted meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

#: What a client may take to connect although nobody needs it any more; it takes milliseconds.
CONNECT_SECONDS = 1.0


async def connect(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Start the client. Raises ``KafkaError``.

    Cancelled while it connects, aiokafka would forget an open socket: the client may finish first, and is stopped by
    its owner as usual.
    """
    starting = asyncio.create_task(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.gather(starting, return_exceptions=True)
        raise
