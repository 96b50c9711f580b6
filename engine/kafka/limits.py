"""Every limit of the engine in one place."""

from __future__ import annotations

from dataclasses import dataclass

from engine.kafka.copies import MAX_PAUSE_MS

SESSION_SECONDS = 10.0
"""Session time-out: a worker without heartbeats for so long loses its partitions to the others."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are in seconds, sizes in bytes before compression.

    transaction: the broker aborts a transaction that is open longer, so that a frozen owner does not hide the
        records of others from ``read_committed`` readers for long.
    answer: how long a unit of work waits for Kafka before the process ends.
    fence: how long taking over one partition may wait for Kafka.
    stall: how long a restore may make no progress (another writer's open transaction blocks it).
    leave: how long a revoked partition may take to finish its unit of work.
    cache: a local store older than that is discarded.
    refence: a producer idle for that long is fenced again: Kafka forgets transactional ids after 7 days.
    offsets: how often offsets are committed to the group, which costs two more requests: what counts is the
        progress record in every transaction.
    slice: about how long deciding may block the event loop: a unit of work is decided in slices of that length.
    unit: for how long a unit of work is decided, without what others do meanwhile: the rest of the batch is another
        unit. Longer units write fewer documents, and hold more outputs in memory.
    batch_bytes: below the smallest ``max.message.bytes`` of the output topics.
    compression: ``None`` or ``snappy``; lz4 costs more than all the rest together.
    retry_backoff_ms: aiokafka's 100 ms would be paid at most commits, because the broker asks for a retry while the
        last transaction ends.
    """

    transaction: float = 10.0
    answer: float = 12.0
    fence: float = 60.0
    stall: float = 120.0
    leave: float = 20.0
    cache: float = MAX_PAUSE_MS / 1000
    refence: float = 86_400.0
    offsets: float = 1.0
    slice: float = 0.05
    unit: float = 2.0
    batch_bytes: int = 900 * 1024
    compression: str | None = None
    retry_backoff_ms: int = 10


@dataclass(frozen=True, slots=True)
class DecompressionLimits:
    """How large compressed batches may become, in bytes: ``batch``: one of them, ``process``: all in the process.

    A quarter of the latter is kept for restores and tails: they must not wait for memory of batches that wait for them.
    """

    batch: int = 32 * 1024 * 1024
    process: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetch:
    """How records are fetched. With a backlog: batches of ``records``; without: whatever is there.

    records: records at most in a batch.
    window: batches of one partition that may be in flight; beyond it fetched records of that partition are gathered for
        the next one, so that 1 loses no time; more only makes smaller batches (measured).
        Memory: partitions x (window + 1) x (``held_bytes`` + ``partition_bytes``), at most, and what
        ``DecompressionLimits`` allows.
    max_wait_ms: how long the broker holds an empty fetch. It asks for all partitions that have room; only one that had
        none waits for its end, and that one still has buffered records. In a backlog, at 25 ms, all but a few fetches a
        second were empty, and cost half of the thread's time.
    partition_bytes: bytes at most of one fetch of a partition; a larger record comes alone.
    held_bytes: while a partition's window is full, fetches are gathered up to so many bytes, or ``records``. So a
        batch, and with it a unit of work, has at most that and one more fetch, compressed and decompressed.
    gather: seconds for which fetched records are gathered: at a steady rate every fetch would bring a handful of
        records, and cost as much as some dozen.
    order_wait: seconds for which partitions read in the order of broker time wait for one that does not answer.
    """

    records: int = 8_000
    window: int = 1
    max_wait_ms: int = 250
    partition_bytes: int = 1024 * 1024
    held_bytes: int = 6 * 1024 * 1024
    gather: float = 0.005
    order_wait: float = 2.0
