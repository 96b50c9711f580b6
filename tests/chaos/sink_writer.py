"""Writes a story to the topics as the bus does: in transactions, some of which are aborted or stay open a while."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from .sink_story import Draft, Story

OPEN_SECONDS = (0.2, 1.5)
"""How long a slow transaction keeps the readers of its partitions waiting."""
ABORTED, SLOW = 0.15, 0.1
"""Shares of transactions that are aborted, and that stay open."""
TIMEOUT_MS = 5_000
"""After which the broker ends the transaction of a writer that has gone."""


class Writer:
    """Two transactional producers: a quick one, and one whose transactions overlap those of the other."""

    def __init__(self, bootstrap: str, seed: int, partitions: int) -> None:
        self._bootstrap = bootstrap
        self._chance = random.Random(seed)
        self._story = Story(seed, partitions)
        self._producers: dict[str, Any] = {}
        self.told: Counter[str] = Counter()
        """Transactions by how they ended, and ``records`` that were committed."""

    async def load(self, records: int) -> None:
        """Writes so many records at once."""
        until = self.told["records"] + records
        while self.told["records"] < until:
            await self._transaction("quick", self._story.unit(150), abort=False)

    async def write(self, drafts: Sequence[Draft]) -> None:
        """Writes exactly these, in one transaction."""
        await self._transaction("quick", drafts, abort=False)

    async def go_on(self, stop: asyncio.Event, rate: float) -> None:
        """Writes about ``rate`` records/s until told to stop; a broker that is away is waited for."""
        slow: asyncio.Task[None] | None = None
        began, before = time.monotonic(), self.told["records"]
        while not stop.is_set():
            if (slow is None or slow.done()) and self._chance.random() < SLOW:
                if slow is not None:
                    await slow
                slow = asyncio.create_task(self._step("slow", self._chance.uniform(*OPEN_SECONDS)))
            await self._step("quick", 0.0)
            ahead = began + (self.told["records"] - before) / rate - time.monotonic()
            await asyncio.sleep(max(0.0, ahead))
        if slow is not None:
            await slow

    async def close(self) -> None:
        """Disconnects; a broker that is gone is no error."""
        for name in list(self._producers):
            await self._leave(name)

    async def _step(self, name: str, seconds: float) -> None:
        abort = self._chance.random() < ABORTED
        drafts = self._story.trap(4) if abort else self._story.unit(self._chance.randint(1, 60))
        try:
            await self._transaction(name, drafts, abort=abort, seconds=seconds)
        except (KafkaError, OSError):
            self.told["broken off"] += 1
            await self._leave(name)
            await asyncio.sleep(0.5)

    async def _transaction(self, name: str, drafts: Sequence[Draft], *, abort: bool, seconds: float = 0.0) -> None:
        producer = await self._producer(name)
        await producer.begin_transaction()
        sending = [
            await producer.send(
                draft.topic, key=draft.key, value=draft.value, partition=draft.partition, headers=[("v", b"1")]
            )
            for draft in drafts
        ]
        await asyncio.gather(*sending)
        await asyncio.sleep(seconds)
        if abort:
            await producer.abort_transaction()
            self.told["aborted"] += 1
        else:
            await producer.commit_transaction()
            self.told["committed"] += 1
            self.told["records"] += len(drafts)

    async def _producer(self, name: str) -> Any:
        if name not in self._producers:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                transactional_id=f"writer-{name}",
                transaction_timeout_ms=TIMEOUT_MS,
                request_timeout_ms=TIMEOUT_MS,
                retry_backoff_ms=20,
            )
            await producer.start()
            self._producers[name] = producer
        return self._producers[name]

    async def _leave(self, name: str) -> None:
        producer = self._producers.pop(name, None)
        if producer is not None:
            await asyncio.gather(producer.stop(), return_exceptions=True)
