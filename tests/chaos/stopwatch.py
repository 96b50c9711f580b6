"""How long an event takes from being sent to being readable on its customer's timeline, for some of the events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import TIMELINE


class Stopwatch:
    """``sent`` starts the clock of an event, a ``read_committed`` reader of the timeline stops it."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self._bootstrap = bootstrap
        self._partitions = [TopicPartition(TIMELINE, number) for number in range(partitions)]
        self._running: dict[bytes, float] = {}
        self._taken: list[float] = []
        self._consumer: AIOKafkaConsumer = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            fetch_max_wait_ms=5,
        )
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        await self._consumer.seek_to_end()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.wait({self._reading})
        await self._consumer.stop()

    def sent(self, uids: Sequence[str]) -> None:
        """These events are sent now."""
        now = time.monotonic()
        self._running |= {uid.encode(): now for uid in uids}

    async def lap(self, seconds: float) -> list[float]:
        """Seconds of all events since the last lap, in order, once all have arrived. Raises ``TimeoutError``."""
        until = time.monotonic() + seconds
        while self._running:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self._running)} events have not arrived")
            await asyncio.sleep(0.05)
        taken, self._taken = sorted(self._taken), []
        return taken

    async def _read(self) -> None:
        while True:
            fetched = await self._consumer.getmany(timeout_ms=1000)
            now = time.monotonic()
            for records in fetched.values():
                for record in records:
                    began = self._running.pop(record.key.rpartition(b"/")[2], None)
                    if began is not None:
                        self._taken.append(now - began)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of values in their order; ``share`` from 0 to 1."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
