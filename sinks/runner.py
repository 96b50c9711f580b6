"""Feeds a sink from Kafka: read, add, flush, show how far; in one process, until it is told to stop.

Nothing is lost, whatever fails: a batch stays in the sink until the database has it, and reading goes on from the
database's offsets only. While the database is away nothing is read, so the lag grows where it belongs, in Kafka.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import stamina
import structlog
from aiokafka.errors import KafkaError

from engine.kafka.copies import Partition

from .base import Flushed, Sink, SinkUnavailable
from .reading import Reading

log = structlog.get_logger("sinks.runner")

_Answer = TypeVar("_Answer")

_COMMIT_S = 2.0
"""How long the group's coordinator may take; reading waits for it."""
_FAILED_PAUSES = 5
"""How many times longer to wait after the coordinator did not take an offset."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the records come from. ``group`` only shows how far the sink is; ``security`` goes to aiokafka as it is."""

    bootstrap: str
    topics: Collection[str]
    group: str
    security: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pace:
    """When a batch is full (``records``, ``bytes`` of values) or has waited long enough, and other intervals (s)."""

    records: int = 5000
    bytes: int = 16 * 1024 * 1024
    linger: float = 0.2
    commit: float = 1.0
    recheck: float = 30.0
    """How often to look whether the topics are still the same."""
    heartbeat: float = 60.0
    """How often to note in the database, when there is nothing to write, that nothing was missed."""
    settle: float = 5.0
    """How long a log that ends too early may take to be whole again, after its leader changed."""
    longest_wait: float = 30.0
    """Between two tries to reach the database or the broker."""
    standstill: float = 3600.0
    """After how long without reading the database is asked anew whether one may read on from where it is."""


class Observer(Protocol):
    """Is told what happens, for metrics."""

    def flushed(self, flushed: Flushed, seconds: float) -> None:
        """The database took a batch. Called in the thread that wrote it, never in two at once."""

    def failed(self, part: str) -> None:
        """``database`` or ``broker`` could not be used; it is tried again."""

    def behind(self, topic: str, partition: int, offsets: int) -> None:
        """So many offsets are left to read."""


class Unobserved:
    """Nobody looks."""

    def flushed(self, flushed: Flushed, seconds: float) -> None:
        """Nothing."""

    def failed(self, part: str) -> None:
        """Nothing."""

    def behind(self, topic: str, partition: int, offsets: int) -> None:
        """Nothing."""


class Runner:
    """Runs one sink. The sink is not closed: it belongs to whoever opened it."""

    def __init__(
        self, sink: Sink, source: Source, *, observer: Observer | None = None, pace: Pace | None = None
    ) -> None:
        self._sink = sink
        self._source = source
        self._observer = observer or Unobserved()
        self._pace = pace or Pace()
        self._written: dict[Partition, int] = {}
        self._read_at = 0.0
        """Unix time of the last reading, also while the machine sleeps."""

    async def run(self, stop: asyncio.Event) -> None:
        """Copy until ``stop`` is set. Raises ``SinkRefused`` and ``SinkLost``, which trying again does not mend."""
        work = asyncio.create_task(self._work())
        told = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            work.cancel()
            told.cancel()
            ended = await asyncio.gather(work, told, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise ended[0]
        if not stop.is_set():
            raise RuntimeError("the sink ended though nobody had told it to") from ended[0]

    async def _work(self) -> None:
        while True:
            try:
                async with self._attached() as reading:
                    await self._copy(reading)
            except (KafkaError, OSError) as error:
                self._observer.failed("broker")
                log.warning("reading-broke-off", error=repr(error))
            await asyncio.sleep(self._pace.commit)

    @asynccontextmanager
    async def _attached(self) -> AsyncIterator[Reading]:
        """A reading that stands where the database stands."""
        reading = await self._insist(self._open, "broker", KafkaError, OSError)
        try:
            logs = await reading.logs()
            known = await self._insist_on_database(self._sink.positions)
            if any(partition in logs and offset > logs[partition].end for partition, offset in known.items()):
                await asyncio.sleep(self._pace.settle)
                logs = await reading.logs()
            self._written = await self._insist_on_database(lambda: self._sink.attach(logs, time.time_ns() // 1_000_000))
            reading.seek(self._written)
            self._read_at = time.time()
            log.info("sink-attached", partitions=len(logs))
            yield reading
        finally:
            await reading.close()

    async def _open(self) -> Reading:
        reading = Reading(self._source.bootstrap, self._source.topics, self._source.security)
        try:
            await reading.open()
        except BaseException:
            await reading.close()
            raise
        return reading

    async def _copy(self, reading: Reading) -> None:
        """Copy until a topic is no longer what it was, or until we stood still for so long that nobody knows."""
        clock = asyncio.get_running_loop().time
        show_at = beat_at = clock()
        check_at = clock() + self._pace.recheck
        try:
            while True:
                count = await self._fill(reading)
                if self._stood_still():
                    log.warning("stood-still", seconds=round(time.time() - self._read_at))
                    return
                self._read_at = time.time()
                marks = await reading.reached()
                self._sink.reached(marks)
                offsets = {partition: mark.next_offset for partition, mark in marks.items()}
                if count or offsets != self._written or clock() >= beat_at:
                    await self._insist(self._flush, "database", SinkUnavailable)
                    self._written = offsets
                    beat_at = clock() + self._pace.heartbeat
                if clock() >= show_at:
                    pauses = 1 if await self._show(reading) else _FAILED_PAUSES
                    show_at = clock() + pauses * self._pace.commit
                if clock() >= check_at:
                    if await reading.outdated():
                        log.info("topics-changed")
                        return
                    check_at = clock() + self._pace.recheck
        finally:
            await self._finish(reading)

    def _stood_still(self) -> bool:
        """Frozen, or held up by the database, for so long that tombstones may have gone before we could read them.

        What was read since must not be written: with it the database would look as if it had never paused.
        """
        return time.time() - self._read_at > self._pace.standstill

    async def _fill(self, reading: Reading) -> int:
        """Let the sink have a batch: a full one, or what came until ``linger`` after its first record."""
        clock = asyncio.get_running_loop().time
        until = clock() + self._pace.linger
        count = size = 0
        while count < self._pace.records and size < self._pace.bytes and (left := until - clock()) > 0:
            records = await reading.read(self._pace.records - count, left)
            if records and not count:
                until = clock() + self._pace.linger
            self._sink.add(records)
            count += len(records)
            size += sum(len(record.value or b"") for record in records)
        return count

    async def _flush(self) -> None:
        await _in_thread(self._write)

    def _write(self) -> None:
        """In a thread to its end, also when we are cancelled meanwhile: what was written is told."""
        began = time.monotonic()
        flushed = self._sink.flush()
        self._observer.flushed(flushed, time.monotonic() - began)

    async def _show(self, reading: Reading) -> bool:
        """Show how far the database is, in the group and to the observer. Whether the group took it; no harm if not."""
        for (topic, partition), offsets in (await reading.behind()).items():
            self._observer.behind(topic, partition, offsets)
        try:
            async with asyncio.timeout(_COMMIT_S):
                await reading.commit(self._source.group, self._written)
        except (KafkaError, OSError) as error:
            log.info("group-not-shown", group=self._source.group, error=repr(error))
            return False
        return True

    async def _finish(self, reading: Reading) -> None:
        """Write what was read already, if that is possible at once; otherwise it is read again next time."""
        if self._stood_still():
            return
        try:
            await self._flush()
            known = await _in_thread(self._sink.positions)
        except SinkUnavailable as error:
            log.info("batch-left", error=str(error))
        else:
            self._written = {partition: known[partition] for partition in self._written}
            await self._show(reading)

    async def _insist_on_database(self, call: Callable[[], _Answer]) -> _Answer:
        return await self._insist(lambda: _in_thread(call), "database", SinkUnavailable)

    async def _insist(self, call: Callable[[], Awaitable[_Answer]], part: str, *errors: type[Exception]) -> _Answer:
        """Try until it succeeds, with growing pauses, each with a line in the log."""
        tries = stamina.retry_context(
            on=errors, attempts=None, timeout=None, wait_initial=0.1, wait_max=self._pace.longest_wait
        )
        async for attempt in tries:
            with attempt:
                try:
                    return await call()
                except errors:
                    self._observer.failed(part)
                    raise
        raise AssertionError("stamina tries for ever")


async def _in_thread(call: Callable[[], _Answer]) -> _Answer:
    """Call in a thread. When we are cancelled the call still ends first: nobody else may use the sink meanwhile."""
    work = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        work.exception()
        raise
