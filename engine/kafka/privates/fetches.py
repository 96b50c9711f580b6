"""How all aiokafka consumers of this process decompress fetched records: within memory limits, and only as many as
asked for.

aiokafka decompresses a batch as a whole, however large it becomes, and returns as many records as are asked for,
however large they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from struct import Struct
from typing import Any, Self

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from engine.kafka.limits import DecompressionLimits
from engine.kafka.memory_budget import MemoryBudget, Reservation
from engine.kafka.record import KafkaRecord, Record, Unusable
from engine.kafka.record_batch import (
    ATTRIBUTES,
    CODEC,
    CROWD,
    GIVEN_BYTES,
    HEADER_BYTES,
    LENGTH,
    MAGIC,
    OVERHEAD,
    OpenBatch,
)

MOST_GIVEN = 5_000
"""Records of a partition that are returned if the caller does not say how many."""

_INT32 = Struct(">i")


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Memory limits. ``batch``: bytes of one decompressed batch. ``buffers``: for records that wait for agents.
    ``passing``: for readers that consume records at once, and so wait for nobody.
    """

    batch: int
    buffers: MemoryBudget
    passing: MemoryBudget


def _bounds_of(unpacking: DecompressionLimits) -> _Bounds:
    return _Bounds(
        unpacking.batch, MemoryBudget(unpacking.process - unpacking.process // 4), MemoryBudget(unpacking.process // 4)
    )


_bounds = _bounds_of(DecompressionLimits())


def install_bounded_fetching(unpacking: DecompressionLimits | None = None) -> None:
    """Make every aiokafka consumer of this process read this way, from now on. Repeating it changes nothing."""
    global _bounds
    if unpacking is not None:
        _bounds = _bounds_of(unpacking)
    fetcher.MemoryRecords = _Kept
    fetcher.PartitionRecords = _Unpacked
    fetcher.FetchResult = _Result


def packed_size(fetched: Any) -> int:
    """Bytes that aiokafka has fetched of one partition and nobody has taken yet."""
    unpacked = getattr(fetched, "_partition_records", None)  # an error has none
    return 0 if unpacked is None else int(unpacked.size)


def for_buffer(fetched: Any) -> None:
    """Count the records taken from it against the limit of the buffers: they will wait for an agent."""
    unpacked = getattr(fetched, "_partition_records", None)
    if unpacked is not None:
        unpacked.budget = _bounds.buffers


def waits_for_room(fetched: Any) -> bool:
    """Whether a fetched batch waits for memory to be decompressed."""
    unpacked = getattr(fetched, "_partition_records", None)
    return unpacked is not None and unpacked.waits


class TakenRecords(list[KafkaRecord]):
    """Records taken from one partition; ``weight``: their decompressed bytes, reserved as long as the list exists."""

    weight: int = 0
    reservation: Reservation | None = None


class _Kept(MemoryRecords):  # type: ignore[misc]  # aiokafka gives it no type
    """Fetched records that keep their raw bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class _Unpacked(fetcher.PartitionRecords):  # type: ignore[misc]  # likewise
    """The batches of one partition's fetch, one after the other."""

    _tp: Any
    _records: Any
    _aborted_producers: set[int]
    _records_iterator: Iterator[Record]
    next_fetch_offset: int

    def __init__(self, tp: Any, records: _Kept, *rest: Any) -> None:
        super().__init__(tp, records, *rest)
        self.size = len(records.data)
        self.budget = _bounds.passing
        self.exhausted = False
        self.waits = False
        """Whether a batch waits for memory to be decompressed."""
        self._at = 0
        self._weight = 0
        self._paused: tuple[Any, int] | None = None
        """A batch that was not compressed and was read in part, and its first byte's position."""
        self._waiting: tuple[Any, memoryview] | None = None
        """A batch that is decompressed as soon as there is memory for it."""
        self._open: OpenBatch | None = None
        self._reservation: Reservation | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> KafkaRecord:
        for record in self.take(1):
            return record
        raise StopIteration

    def take(self, most: int) -> TakenRecords:
        """The next records: ``most``, or about ``GIVEN_BYTES``, or what there is memory for. An empty list may not be
        the end.

        Raises:
            CorruptRecordException: the batch differs from what the broker was sent; it must be fetched again.
        """
        taken = TakenRecords()
        while len(taken) < most and taken.weight < GIVEN_BYTES and not self.exhausted:
            if self._open is None and self._waiting is None:
                taken.extend(islice(self._records_iterator, most - len(taken)))
                taken.weight += self._weight
                self._weight = 0
                if len(taken) < most:
                    self._records_iterator = self._unpack_records()
                    self.exhausted = self._waiting is None and self._paused is None
                    if self.exhausted:  # an unstarted generator would keep this object alive, and with it the fetch
                        self._records_iterator = iter(())
            elif not self._take_opened(taken, most):
                break
        if taken.weight:
            taken.reservation = self.budget.reserve(taken.weight)
        return taken

    def _unpack_records(self) -> Iterator[Record]:
        """The records of batches that are not compressed, up to one that is."""
        (topic, partition), length = self._tp, _INT32.unpack_from
        records, data = self._records, self._records.data
        paused, self._paused = self._paused, None
        while True:
            if paused is not None:
                (batch, start), paused = paused, None
                rest = iter(batch.__next__, None)
            else:
                batch, start = records.next_batch(), self._at
                if batch is None:
                    return
                self._at = start + OVERHEAD + length(data, start + LENGTH)[0]
                if self._passed_over(batch):
                    self.next_fetch_offset = batch.next_offset
                    continue
                if data[start + ATTRIBUTES] & CODEC or data[start + MAGIC] < 2:
                    self._waiting = batch, memoryview(data)[start : self._at]
                    return
                rest = batch
            begun, end = self.next_fetch_offset, batch.next_offset
            try:
                for record in rest:
                    offset = record.offset
                    if self.next_fetch_offset <= offset < end:
                        self.next_fetch_offset = offset + 1
                        headers = tuple(record.headers)
                        yield Record(topic, partition, offset, record.timestamp, record.key, record.value, headers)
                        if len(headers) > CROWD:
                            self._weight += HEADER_BYTES * len(headers)
                            if self._weight >= GIVEN_BYTES:
                                self._paused = batch, start
                                return
                    elif offset >= begun:  # else the batch began before the read position
                        raise CorruptRecordException("offsets that do not rise, or leave their batch")
            except Exception:  # noqa: BLE001  # whatever a sender made up; the careful reader finds it again
                raw = memoryview(data)[start : self._at]
                self._waiting = DefaultRecordBatch(raw), raw
                return
            self.next_fetch_offset = end  # also after records that compaction has removed from its end

    def _take_opened(self, taken: TakenRecords, most: int) -> bool:
        """Take records of the batch that is, or can be, decompressed; false when there is no memory for it."""
        batch = self._open
        if batch is None:
            assert self._waiting is not None, "there is one to open"
            waiting, raw = self._waiting
            self.waits = not self.budget.has_room(_bounds.batch)
            if self.waits:
                return False
            self._open = batch = OpenBatch(self._tp, raw, waiting, self.next_fetch_offset, _bounds.batch)
            self._waiting = None
        size = 0 if self._reservation is None else self._reservation.size
        taken.extend(islice(batch.records(), most - len(taken)))
        self.next_fetch_offset = batch.position
        taken.weight += batch.weight
        batch.weight = 0
        if batch.finished:
            self._open = self._reservation = None
        elif batch.size != size:
            self._reservation = self.budget.reserve(batch.size)
        return True

    def _passed_over(self, batch: Any) -> bool:
        """Whether the batch is a marker, or of an aborted transaction. Raises ``CorruptRecordException``."""
        if self._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"Invalid CRC - {self._tp}")
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)


class _Result(fetcher.FetchResult):  # type: ignore[misc]  # likewise
    """The fetched records of one partition."""

    _partition_records: _Unpacked | None
    _topic_partition: Any

    def getone(self) -> Record | Unusable | None:
        """The next record, if there is one and memory for it."""
        return next(iter(self.getall(1)), None)

    def getall(self, max_records: int | None = None) -> list[Any]:
        """See ``_Unpacked.take``; empty when the consumer's position was changed meanwhile."""
        if not self.check_assignment(self._topic_partition) or self._partition_records is None:
            return []
        try:
            taken = self._partition_records.take(MOST_GIVEN if max_records is None else max_records)
        except BaseException:
            self._partition_records = None
            raise
        self._update_position()
        if self._partition_records.exhausted:
            self._partition_records = None
        return taken
