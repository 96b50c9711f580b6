"""Publishes records from the command line, and waits until all in-sync replicas have acknowledged them.

With aiokafka it takes 10 µs a record; kafka-python takes 70.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from .output import note
from .problem import Code, Problem

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

PATIENCE = 10.0
"""Seconds to wait for Kafka's first response."""
STALLED = 30.0
"""Seconds without any acknowledgement after which Kafka counts as stuck or unreachable."""
WAITING = 5_000
"""Unacknowledged records at most."""
TOGETHER = 256 * 1024
"""Bytes of records without a key that go to one partition before another is chosen; also the size of a batch."""
LARGEST = 2 * 1024 * 1024
"""Bytes of a request: more than any topic of the bus accepts, so that the broker refuses what is too large."""

_AGAIN = "send all of it again: no event counts twice."

Outgoing = tuple[str, bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Topic, value, key and headers."""


class Acknowledged(NamedTuple):
    """The place of an acknowledged record."""

    topic: str
    partition: int
    offset: int


def publish(
    bootstrap: str,
    records: Iterable[Outgoing],
    topics: Collection[str] | None = None,
    progress: Callable[[int], object] = int,
) -> list[Acknowledged]:
    """Send records and wait for all acknowledgements; returns the last acknowledged record of each partition.

    ``topics`` names all topics of ``records``; without it ``records`` are held in memory to find them. ``progress`` is
    called now and then with the number of acknowledged records.

    Raises ``Problem`` when a topic does not exist, before anything is sent, and when Kafka refuses a record or
    acknowledges nothing for ``STALLED`` seconds. In that case some records may have been sent.
    """
    if topics is None:
        records = list(records)
        topics = {topic for topic, *_ in records}
    for name in ("aiokafka", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is also raised
    return asyncio.run(_publish(bootstrap, records, topics, progress))


async def _publish(
    bootstrap: str, records: Iterable[Outgoing], topics: Collection[str], progress: Callable[[int], object]
) -> list[Acknowledged]:

    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=TOGETHER,
        max_request_size=LARGEST,
        request_timeout_ms=int(STALLED * 1000),
    )
    sending = _Sending(producer, progress)
    try:
        async with asyncio.timeout(PATIENCE):
            await producer.start()
            there = (await producer.client.fetch_all_metadata()).topics()
        missing = sorted(set(topics) - set(there))
        if missing:
            raise Problem(f"There is no topic {missing[0]} on this Kafka; `cxbus topics apply` creates it.", Code.AWAY)
        await sending.all(records)
    except TimeoutError as error:
        raise Problem(f"Kafka did not answer for {PATIENCE:.0f} s. See `cxbus status`.", Code.AWAY) from error
    except KafkaError as error:
        raise sending.failed(str(error)) from error
    except asyncio.CancelledError:  # Ctrl-C
        note(sending.interrupted())
        raise
    finally:
        await _stop(producer)
    return list(sending.last.values())


class _Sending:
    """Sends records, counts acknowledgements, and keeps the first error."""

    def __init__(self, producer: AIOKafkaProducer, progress: Callable[[int], object]) -> None:
        self._producer = producer
        self._told = progress
        self._sent = self._acknowledged = 0
        self._moved = asyncio.Event()
        self._error: BaseException | None = None
        self._rooms: dict[str, tuple[int, int]] = {}
        """Topic → its current partition, and how many more bytes go there."""
        self.last: dict[tuple[str, int], Acknowledged] = {}

    async def all(self, records: Iterable[Outgoing]) -> None:
        """Send ``records`` in order. Raises ``KafkaError``, and ``Problem`` when no acknowledgement comes any more."""
        for topic, value, key, headers in records:
            while self._sent - self._acknowledged >= WAITING:
                await self._progress()
            partition = await self._partition(topic, len(value or b"")) if key is None else None
            future = await self._producer.send(topic, value, key, partition, headers=list(headers))
            future.add_done_callback(self._done)
            self._sent += 1
        while self._acknowledged < self._sent:
            await self._progress()

    async def _partition(self, topic: str, size: int) -> int:
        """The partition of a record without a key: neighbouring records share one, so that they keep their order."""
        partition, room = self._rooms.get(topic, (0, 0))
        if room <= 0:
            partition, room = random.choice(sorted(await self._producer.partitions_for(topic))), TOGETHER
        self._rooms[topic] = partition, room - size
        return partition

    def _done(self, future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            return
        self._error = future.exception() or self._error
        if self._error is None:
            at = future.result()
            self.last[at.topic, at.partition] = Acknowledged(at.topic, at.partition, at.offset)
            self._acknowledged += 1
        self._moved.set()

    async def _progress(self) -> None:
        """Wait for the next acknowledgement. Raises the error of a refused record."""
        self._moved.clear()
        try:
            async with asyncio.timeout(STALLED):
                if self._error is None:
                    await self._moved.wait()
        except TimeoutError:
            raise self.failed(f"it acknowledged nothing for {STALLED:.0f} s") from None
        if self._error is not None:
            raise self._error
        self._told(self._acknowledged)

    def interrupted(self) -> str:
        """The message after Ctrl-C."""
        return f"Interrupted: {self._acknowledged:,} were acknowledged; {_AGAIN}"

    def failed(self, reason: str) -> Problem:
        """The error when ``reason`` stopped the sending."""
        return Problem(
            f"Kafka did not take everything ({reason}): {self._acknowledged:,} were acknowledged. Look at "
            f"`cxbus status`, then {_AGAIN}",
            Code.AWAY,
        )


async def _stop(producer: AIOKafkaProducer) -> None:
    """Close the connections within a second. Unacknowledged records, which exist only after a failure, are dropped."""
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await producer.stop()
            return
    await producer.client.close()
