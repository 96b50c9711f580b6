"""How far the workers have come, by their committed offsets, and how large they are: looked at again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

PATIENCE = 5.0
"""Seconds until a look is given up."""


class NothingLoaded(Exception):
    """A coordinator that has just started knows of no offset, though there were some a moment ago."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: the committed offsets, and where all topics ended *afterwards*. ``memory``: MiB of each process.

    ``lag``: offsets of the inputs that are not committed. ``at``: ms since 1970, after all of it.
    """

    at: int
    committed: dict[TopicPartition, int]
    ends: dict[TopicPartition, int]
    memory: dict[str, int]
    lag: int


class Progress:
    """Looks at one consumer group: ``inputs`` are what it reads, ``topics`` all that it reads or writes."""

    def __init__(
        self, bootstrap: str, group: str, inputs: Iterable[tuple[str, int]], topics: Iterable[tuple[str, int]]
    ) -> None:
        self._group = group
        self._inputs = [TopicPartition(name, number) for name, count in inputs for number in range(count)]
        self._topics = [TopicPartition(name, number) for name, count in topics for number in range(count)]
        self._bootstrap = bootstrap
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self.samples: list[Sample] = []
        self.failures = 0
        """Looks to which nobody answered."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._disconnect()

    async def look(self, memory: Callable[[], dict[str, int]]) -> Sample | None:
        """Takes a sample; None while the broker does not answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                committed, ends = await self._offsets()
            if self.samples and any(known and not committed[tp] for tp, known in self.samples[-1].committed.items()):
                raise NothingLoaded
        except (KafkaError, OSError, TimeoutError, NothingLoaded):
            self.failures += 1
            await self._disconnect()
            return None
        lag = sum(max(0, ends[tp] - offset) for tp, offset in committed.items())
        sample = Sample(time.time_ns() // 1_000_000, committed, ends, memory(), lag)
        self.samples.append(sample)
        return sample

    async def watch(self, memory: Callable[[], dict[str, int]], pause: float) -> None:
        """Looks every ``pause`` seconds, until it is cancelled."""
        while True:
            await self.look(memory)
            await asyncio.sleep(pause)

    async def drained(
        self, seconds: float, memory: Callable[[], dict[str, int]], meanwhile: Callable[[], None]
    ) -> None:
        """Returns when there is no lag, twice in a row with nothing new in between. Raises ``TimeoutError``."""
        quiet: dict[TopicPartition, int] = {}
        async with asyncio.timeout(seconds):
            while True:
                meanwhile()
                sample = await self.look(memory)
                if sample is not None and sample.lag == 0:
                    if sample.ends == quiet:
                        return
                    quiet = sample.ends
                await asyncio.sleep(0.5)

    async def _offsets(self) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        """The next offset of each input (0 where nothing was committed); then the ends, uncommitted records included.

        Another writer's open transaction hides what was committed behind it, so the end that readers see would be too
        low; that the records were committed shows afterwards.
        """
        if self._admin is None or self._consumer is None:
            await self._connect()
        assert self._admin is not None
        assert self._consumer is not None
        found: dict[TopicPartition, Any] = await self._admin.list_consumer_group_offsets(self._group)
        committed = {tp: max(0, found[tp].offset) if tp in found else 0 for tp in self._inputs}
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(self._topics)
        return committed, ends

    async def _connect(self) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=int(PATIENCE * 1000))
        await self._admin.start()
        self._consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        await self._consumer.start()

    async def _disconnect(self) -> None:
        admin, self._admin = self._admin, None
        consumer, self._consumer = self._consumer, None
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(2):
                if consumer is not None:
                    await consumer.stop()
                if admin is not None:
                    await admin.close()
