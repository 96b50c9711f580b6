"""A department's program: it publishes at a steady rate, and sends again what the broker did not acknowledge."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from .business import Sent
from .publication import Publication

PATIENCE = 8.0
"""Seconds until a publisher takes no answer for an error."""
AGAIN = 2.0
"""Seconds until it tries again after an error."""
NOTICED = 1.0
"""Seconds of waiting for one step's acknowledgements that count as a wait."""
STEP = 0.1


@dataclass(slots=True)
class Told:
    """What the publisher was told. ``longest``: seconds of the longest wait for acknowledgements."""

    errors: int = 0
    waits: int = 0
    longest: float = 0.0
    again: int = 0


class Publisher:
    """Publishes in order, ``rate`` events/s; ``publication`` keeps the accounts."""

    def __init__(self, bootstrap: str, publication: Publication, rate: float) -> None:
        self._bootstrap = bootstrap
        self.rate = rate
        self._publication = publication
        self.told = Told()

    async def publish(self, sent: Sequence[Sent]) -> None:
        """Ends when everything was acknowledged, if need be as a copy."""
        queue = deque[Sent]()
        done, due = 0, time.monotonic()
        producer = await self._connected()
        try:
            while queue or done < len(sent):
                step = max(1, round(self.rate * STEP))
                some = sent[done : done + step]
                done += len(some)
                unknown = await self._step(producer, [*some, *(queue.popleft() for _ in range(min(step, len(queue))))])
                queue.extend(unknown)
                self.told.again += len(unknown)
                if unknown:
                    await _leave(producer)
                    await asyncio.sleep(AGAIN)
                    producer = await self._connected()
                due = max(due + STEP, time.monotonic() - STEP)  # what a wait has cost is not caught up in a burst
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        finally:
            await _leave(producer)

    async def _connected(self) -> AIOKafkaProducer:
        """A producer that has found the broker. One that has failed is not used again: its sequence may have a gap."""
        while True:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap, enable_idempotence=True, request_timeout_ms=int(PATIENCE * 1000)
            )
            try:
                await producer.start()
            except KafkaError:
                self.told.errors += 1
                await _leave(producer)
                await asyncio.sleep(AGAIN)
            else:
                return producer

    async def _step(self, producer: AIOKafkaProducer, some: Sequence[Sent]) -> list[Sent]:
        """Sends; gives what was not acknowledged."""
        began = time.monotonic()
        unknown: list[Sent] = []
        waiting = []
        for index, one in enumerate(some):
            try:
                async with asyncio.timeout(PATIENCE):
                    answer = await producer.send(one.topic, one.value, one.key, headers=list(one.headers))
            except (KafkaError, TimeoutError):
                self.told.errors += 1
                unknown += some[index:]
                break
            waiting.append((one, answer))
        answers = [answer for _, answer in waiting]
        if answers:
            await asyncio.wait(answers, timeout=max(0.0, began + PATIENCE - time.monotonic()))
        for one, answer in waiting:
            if answer.done() and answer.exception() is None:
                place = answer.result()
                self._publication.acknowledge(one, (place.topic, place.partition, place.offset))
            else:
                self.told.errors += 1
                unknown.append(one)
        for one in unknown:
            self._publication.doubt(one)
        self._note(time.monotonic() - began)
        return unknown

    def _note(self, seconds: float) -> None:
        self.told.waits += seconds > NOTICED
        self.told.longest = max(self.told.longest, seconds)


async def _leave(producer: AIOKafkaProducer) -> None:
    """Closes it; what it still held is in doubt."""
    try:
        async with asyncio.timeout(1):
            await producer.stop()
    except TimeoutError:
        await producer._sender.close()  # else its tasks would wait for ever
        await producer.client.close()
