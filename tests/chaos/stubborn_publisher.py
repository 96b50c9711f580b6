"""A department's program in bad times: it sends again until Kafka has acknowledged, and notes what Kafka said."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from .business import Sent
from .log import Log

REQUEST_MS = 4_000
"""After which a publisher has an error instead of an answer."""
AGAIN_SECONDS = 0.5
STOP_SECONDS = 5.0


@dataclass
class StubbornPublisher:
    """``acknowledged``: what Kafka said it has, by topic, partition and offset; ``moments``: when (monotonic)."""

    bootstrap: str
    acknowledged: dict[tuple[str, int, int], bytes] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    moments: list[float] = field(default_factory=list)
    _producer: AIOKafkaProducer = None

    async def publish(self, sent: Sequence[Sent], rate: float, seconds: float) -> None:
        """In their order, a tenth of a second's worth at a time. Raises ``TimeoutError`` when it takes so long."""
        step = max(1, round(rate / 10))
        try:
            async with asyncio.timeout(seconds):
                for first in range(0, len(sent), step):
                    began = time.monotonic()
                    waiting: Sequence[Sent] = sent[first : first + step]
                    while waiting := await self._try(waiting):
                        await self._stop()  # what came of it is not known: begin anew
                        await asyncio.sleep(AGAIN_SECONDS)
                    await asyncio.sleep(max(0.0, step / rate - (time.monotonic() - began)))
        finally:
            await self._stop()

    async def _try(self, waiting: Sequence[Sent]) -> Sequence[Sent]:
        """What was not acknowledged."""
        try:
            await self._start()
        except KafkaError as error:
            self.errors[type(error).__name__] += 1
            return waiting
        answers = await asyncio.gather(*(self._send(one) for one in waiting))
        return [one for one, acknowledged in zip(waiting, answers, strict=True) if not acknowledged]

    async def _send(self, one: Sent) -> bool:
        try:
            answer = await self._producer.send_and_wait(one.topic, one.value, one.key, headers=list(one.headers))
        except KafkaError as error:
            self.errors[type(error).__name__] += 1
            return False
        self.acknowledged[answer.topic, answer.partition, answer.offset] = one.value
        self.moments.append(time.monotonic())
        return True

    async def _start(self) -> None:
        if self._producer is None:
            producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", request_timeout_ms=REQUEST_MS)
            try:
                await producer.start()
            except KafkaError:
                await producer.stop()
                raise
            self._producer = producer

    async def _stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await producer.stop()
        except (KafkaError, TimeoutError):
            await producer.client.close()

    def falsely_told(self, log: Log) -> list[str]:
        """Where Kafka said that it has something, and has not."""
        there = {(r.topic, r.partition, r.offset): r.value for records in log.records.values() for r in records}
        return [f"{place}" for place, value in self.acknowledged.items() if there.get(place) != value]


def department_records(log: Log) -> int:
    """How many records the departments' topics hold."""
    return sum(len(records) for (topic, _), records in log.records.items() if topic.endswith(".events.v1"))
