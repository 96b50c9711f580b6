"""How far the workers have come, by their committed offsets: the lag, and the time to recover from a kill."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


class Progress:
    """Looks at one consumer group's offsets in the topics that it reads."""

    def __init__(self, bootstrap: str, group: str, topics: Iterable[tuple[str, int]]) -> None:
        self._group = group
        self._partitions = [TopicPartition(name, number) for name, count in topics for number in range(count)]
        self._bootstrap = bootstrap
        self._admin: AIOKafkaAdminClient = None
        self._consumer: AIOKafkaConsumer = None
        self._waiting: list[tuple[float, dict[TopicPartition, int]]] = []
        self.recoveries: list[float] = []
        """Seconds from each kill until every partition had moved on or had nothing to do."""

    async def __aenter__(self) -> Self:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, isolation_level="read_committed", enable_auto_commit=False
        )
        await self._admin.start()
        await self._consumer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def committed(self) -> dict[TopicPartition, int]:
        """The next offset of each partition; 0 where nothing was committed."""
        found: dict[TopicPartition, Any] = await self._admin.list_consumer_group_offsets(self._group)
        return {tp: max(0, found[tp].offset) if tp in found else 0 for tp in self._partitions}

    async def ends(self) -> dict[TopicPartition, int]:
        """Where each partition ends."""
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(self._partitions)
        return ends

    async def lag(self) -> int:
        """Offsets that are still to be read."""
        committed = await self.committed()
        return sum(max(0, end - committed[tp]) for tp, end in (await self.ends()).items())

    async def killed(self) -> None:
        """A worker dies in this moment: begin to wait until all partitions are at work again."""
        self._waiting.append((time.monotonic(), await self.committed()))

    async def look(self) -> None:
        """Notes which kills have been recovered from. Call it often."""
        if not self._waiting:
            return
        committed, ends = await self.committed(), await self.ends()
        now = time.monotonic()
        still = []
        for began, before in self._waiting:
            if all(committed[tp] > before[tp] or committed[tp] >= ends[tp] for tp in self._partitions):
                self.recoveries.append(now - began)
            else:
                still.append((began, before))
        self._waiting = still

    async def drained(self, seconds: float, meanwhile: Callable[[], None]) -> None:
        """Returns when there is no lag, twice in a row with nothing new in between. Raises ``TimeoutError``."""
        quiet: dict[TopicPartition, int] = {}
        async with asyncio.timeout(seconds):
            while True:
                meanwhile()
                await self.look()
                ends = await self.ends()
                if await self.lag() == 0:
                    if ends == quiet:
                        return
                    quiet = ends
                await asyncio.sleep(0.5)
