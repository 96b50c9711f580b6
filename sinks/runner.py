"""Feeds a sink from Kafka in one process, until it is stopped: read, add, flush, commit to the group.

No failure loses a record: a batch stays in the sink until the database has committed it, and reading continues from the
database's offsets only. While the database is unreachable nothing is read, so the backlog stays in Kafka.
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

from engine.kafka.copies import PartitionKey

from .base import Flushed, Sink, SinkUnavailable
from .reading import Reading

log = structlog.get_logger("sinks.runner")

_Answer = TypeVar("_Answer")

_COMMIT_S = 2.0
"""Seconds that the group coordinator may take for a commit; reading waits for it."""
_FAILED_PAUSES = 5
"""After a failed commit, the next one follows after this many times ``Pace.commit``."""


@dataclass(frozen=True, slots=True)
class KafkaSource:
    """Where the records come from. ``group`` only shows the sink's lag; ``security`` goes to aiokafka unchanged."""

    bootstrap: str
    topics: Collection[str]
    group: str
    security: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pace:
    """When a batch is flushed (``records``, ``bytes`` of values, ``linger``), and other intervals, in seconds."""

    records: int = 5000
    bytes: int = 16 * 1024 * 1024
    linger: float = 0.2
    commit: float = 1.0
    recheck: float = 30.0
    """Interval at which the topics are checked for changes."""
    heartbeat: float = 60.0
    """Interval at which an idle sink writes to the database that it has read everything so far."""
    leader_change: float = 5.0
    """How long to wait when a log ends before the database's offset: after a leader change it may catch up."""
    longest_wait: float = 30.0
    """Longest pause between two attempts to reach the database or the broker."""
    standstill: float = 3600.0
    """After so long without reading, the sink attaches again: its copy may no longer be trusted."""


class SinkObserver(Protocol):
    """Receives the runner's events, for metrics."""

    def flushed(self, flushed: Flushed, seconds: float) -> None:
        """The database committed a batch. Called in the thread that wrote it, never in two at once."""

    def failed(self, part: str) -> None:
        """``database`` or ``broker`` (``part``) could not be used; the runner tries again."""

    def behind(self, topic: str, partition: int, offsets: int) -> None:
        """The lag of one partition, in offsets."""


class Unobserved:
    """An ``SinkObserver`` that does nothing."""

    def flushed(self, flushed: Flushed, seconds: float) -> None:
        """Nothing."""

    def failed(self, part: str) -> None:
        """Nothing."""

    def behind(self, topic: str, partition: int, offsets: int) -> None:
        """Nothing."""


class Runner:
    """Runs one sink. Whoever opened the sink closes it."""

    def __init__(
        self, sink: Sink, source: KafkaSource, *, observer: SinkObserver | None = None, pace: Pace | None = None
    ) -> None:
        self._sink = sink
        self._source = source
        self._observer = observer or Unobserved()
        self._pace = pace or Pace()
        self._written: dict[PartitionKey, int] = {}
        self._read_at = 0.0
        """Unix time of the last read; unlike a monotonic clock it also counts time in which the machine sleeps."""

    async def run(self, stop: asyncio.Event) -> None:
        """Copy until ``stop`` is set. Raises ``SinkRefused`` and ``SinkLost``, which a retry does not fix."""
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
            raise RuntimeError("the sink stopped although nobody asked it to") from ended[0]

    async def _work(self) -> None:
        while True:
            try:
                async with self._attached() as reading:
                    await self._copy(reading)
            except (KafkaError, OSError) as error:
                self._observer.failed("broker")
                log.warning("reading-failed", error=repr(error))
            await asyncio.sleep(self._pace.commit)

    @asynccontextmanager
    async def _attached(self) -> AsyncIterator[Reading]:
        """A connection that reads from the database's offsets on."""
        reading = await self._insist(self._open, "broker", KafkaError, OSError)
        try:
            logs = await reading.logs()
            known = await self._insist_on_database(self._sink.positions)
            if any(partition in logs and offset > logs[partition].end for partition, offset in known.items()):
                await asyncio.sleep(self._pace.leader_change)
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
        """Copy until a topic has changed, or until reading paused for too long (``Pace.standstill``)."""
        clock = asyncio.get_running_loop().time
        show_at = beat_at = clock()
        check_at = clock() + self._pace.recheck
        try:
            while True:
                count = await self._fill(reading)
                if self._stood_still():
                    log.warning("reading-paused-too-long", seconds=round(time.time() - self._read_at))
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
        """Whether reading paused (a frozen process, a slow database) for so long that compaction may have removed
        tombstones unread.

        What was read since must not be written: the database would then look as if there had been no pause.
        """
        return time.time() - self._read_at > self._pace.standstill

    async def _fill(self, reading: Reading) -> int:
        """Add one batch to the sink: a full one, or what arrives within ``linger`` of its first record. Its size."""
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
        """Flush and report it. Runs in a thread to its end even if the task is cancelled, so no write is unreported."""
        began = time.monotonic()
        flushed = self._sink.flush()
        self._observer.flushed(flushed, time.monotonic() - began)

    async def _show(self, reading: Reading) -> bool:
        """Report the lag to the observer and commit the offsets to the group. False if that failed; no harm is done."""
        for (topic, partition), offsets in (await reading.behind()).items():
            self._observer.behind(topic, partition, offsets)
        try:
            async with asyncio.timeout(_COMMIT_S):
                await reading.commit(self._source.group, self._written)
        except (KafkaError, OSError) as error:
            log.info("offsets-not-committed", group=self._source.group, error=repr(error))
            return False
        return True

    async def _finish(self, reading: Reading) -> None:
        """Write what was already read, in one attempt; if that fails, it is read again next time."""
        if self._stood_still():
            return
        try:
            await self._flush()
            known = await _in_thread(self._sink.positions)
        except SinkUnavailable as error:
            log.info("batch-not-written", error=str(error))
        else:
            self._written = {partition: known[partition] for partition in self._written}
            await self._show(reading)

    async def _insist_on_database(self, call: Callable[[], _Answer]) -> _Answer:
        return await self._insist(lambda: _in_thread(call), "database", SinkUnavailable)

    async def _insist(self, call: Callable[[], Awaitable[_Answer]], part: str, *errors: type[Exception]) -> _Answer:
        """Call until it succeeds, with growing pauses; every failed attempt is logged."""
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
    """Run ``call`` in a thread. A cancelled task waits for its end: the sink allows only one call at a time."""
    work = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        work.exception()
        raise
