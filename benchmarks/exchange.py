"""Publishing at a steady rate and reading alerts at the same time, in one process and on one clock."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Iterator, Sequence

import orjson
from aiokafka import AIOKafkaProducer

from engine.kafka.reader import reader

from .contestant import Failed
from .outcome import alert_of
from .pairs import GAP, RULE, Due, Pairs
from .stopwatch import Stopwatch
from .topics import partitions_of

STEP = 0.002
"""Seconds between two looks at what is due."""

LOOK = 0.05
FIRST_ALERT = 180.0
"""Seconds for a contestant to start and to fire its first alert."""

LAST_ALERTS = 10.0
"""Seconds to wait for alerts after the last event."""

FEW = 0.5
"""Seconds between pairs while the contestant starts, so that it begins without a backlog."""


class Exchange:
    """Talks to one contestant. ``check`` raises when that is no more.

    ``behind``: the most seconds by which an event that counts was published too late.
    """

    def __init__(self, bootstrap: str, partitions: int, alerts: Sequence[str], check: Callable[[], None]) -> None:
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._alerts = alerts
        self._check = check
        self.watch = Stopwatch()
        self.behind = 0.0

    async def play(self, pairs: Pairs, stream: Callable[[int, int], Iterator[Due]], warm: float, long: float) -> None:
        """Pairs until the first alert, then ``stream(first pair, begin in µs)``: ``warm`` seconds, then ``long`` more.

        Raises ``Failed`` when no alert comes, and ``KafkaError``.
        """
        reading = asyncio.create_task(self._read())
        playing = asyncio.create_task(self._play(pairs, stream, warm, long))
        try:
            done, _ = await asyncio.wait({reading, playing}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (reading, playing):
                task.cancel()
            await asyncio.gather(reading, playing, return_exceptions=True)

    async def _play(self, pairs: Pairs, stream: Callable[[int, int], Iterator[Due]], warm: float, long: float) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, linger_ms=0, acks="all")
        await producer.start()
        try:
            used = await self._until_alert(producer, pairs)
            begin = time.time()
            self.watch.begin = begin + warm
            await self._publish(producer, stream(used, int(begin * 1e6)), begin, warm + long)
            for _ in range(int(LAST_ALERTS / LOOK)):
                if not self.watch.waiting:
                    break
                await asyncio.sleep(LOOK)
        finally:
            await producer.stop()

    async def _until_alert(self, producer: AIOKafkaProducer, pairs: Pairs) -> int:
        """How many pairs it took."""
        until = time.monotonic() + FIRST_ALERT
        number = 0
        while not self.watch.read:
            if time.monotonic() > until:
                raise Failed(f"no alert within {FIRST_ALERT:.0f} s")
            now = int(time.time() * 1e6)
            await self._send(producer, pairs.complaint(number, 0.0, now))
            if number >= GAP / FEW:
                await self._send(producer, pairs.campaign(number - int(GAP / FEW), 0.0, now))
            number += 1
            await asyncio.sleep(FEW)
        return number

    async def _publish(self, producer: AIOKafkaProducer, stream: Iterator[Due], begin: float, long: float) -> None:
        for due in stream:
            if due.after > long:
                return
            if (early := begin + due.after - time.time()) > 0:
                await asyncio.sleep(max(STEP, early))
            if due.after > self.watch.begin - begin:
                self.behind = max(self.behind, -early)
            await self._send(producer, due)
        raise Failed("the stream was too short")

    async def _send(self, producer: AIOKafkaProducer, due: Due) -> None:
        event = due.event
        if due.fires is not None:
            self._check()
            self.watch.publish(due.fires, time.time())
        partition = zlib.crc32(event.key) % self._partitions
        await producer.send(event.topic, event.value, event.key, partition)

    async def _read(self) -> None:
        partitions = await asyncio.to_thread(partitions_of, self._bootstrap, self._alerts)
        async with reader(self._bootstrap, isolation_level="read_committed") as consumer:
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            while True:
                fetched = await consumer.getmany(timeout_ms=1_000)
                now = time.time()
                for records in fetched.values():
                    for record in records:
                        rule, _, key = alert_of(orjson.loads(record.value))
                        if rule == RULE:
                            self.watch.alert(key, now)
