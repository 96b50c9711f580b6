"""Somebody who reads the journal as it is written, to know when a customer's past is on its way."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.journal import MOVED, ORDER
from schemas.topics import JOURNAL


class JournalWatch:
    """From the journal's end on. ``committed`` false: sees what is written in open transactions, too."""

    def __init__(self, bootstrap: str, partitions: int, *, committed: bool) -> None:
        self._partitions = [TopicPartition(JOURNAL, number) for number in range(partitions)]
        self._options: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "isolation_level": "read_committed" if committed else "read_uncommitted",
            "enable_auto_commit": False,
            "fetch_max_wait_ms": 10,
        }
        self._consumer: AIOKafkaConsumer = None

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(**self._options)
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        await self._consumer.seek_to_end()
        for tp in self._partitions:
            await self._consumer.position(tp)  # the seek is done
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def moved(self, seconds: float) -> TopicPartition:
        """The partition of the first part of a past that is seen. Raises ``TimeoutError``."""
        async with asyncio.timeout(seconds):
            while True:
                fetched = await self._consumer.getmany(timeout_ms=200)
                for tp, records in fetched.items():
                    if any(dict(record.headers).get(ORDER) == MOVED for record in records):
                        return tp
