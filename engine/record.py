"""A Kafka record as the bus reads it: light, and readable whatever its headers are called.

aiokafka makes an object of eleven fields of each record, at three times the cost of taking it out of its batch. And
Kafka does not look at header names, while aiokafka decodes them strictly: one record with a name that is no UTF-8 would
block its partition for good, and every worker that takes it over. Reading is as before; only a fetch that fails so is
read again, slowly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy


class KafkaRecord(Protocol):
    """What is read of a record. ``timestamp`` in ms; ``key`` and ``value`` are bytes, or ``None``."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> Any: ...
    @property
    def value(self) -> Any: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Light(NamedTuple):
    """A ``KafkaRecord`` as this module makes them."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: Any
    value: Any
    headers: tuple[tuple[str, bytes], ...] = ()


def read_light() -> None:
    """Make every aiokafka consumer of this process read so. Repeating it changes nothing."""
    fetcher.MemoryRecords = _Kept
    fetcher.PartitionRecords = _Unpacked


def size_of(fetched: Any) -> int:
    """Bytes of what aiokafka has fetched of one partition and nobody has taken yet."""
    unpacked = getattr(fetched, "_partition_records", None)  # an error has none
    return 0 if unpacked is None else int(unpacked.size)


class _Kept(MemoryRecords):  # type: ignore[misc]  # aiokafka gives it no type
    """A fetch that remembers its bytes, so that it can be read twice."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class _Unpacked(fetcher.PartitionRecords):  # type: ignore[misc]  # likewise
    _tp: Any
    _records: Any
    _records_iterator: Iterator[Light]
    _aborted_producers: set[int]
    next_fetch_offset: int

    def __init__(self, tp: Any, records: _Kept, aborted: Any, *rest: Any) -> None:
        self._aborted = tuple(aborted or ())
        self.size = len(records.data)
        super().__init__(tp, records, aborted, *rest)

    def __iter__(self) -> Iterator[Light]:
        return self._records_iterator

    def _unpack_records(self) -> Iterator[Light]:
        try:
            yield from self._readable()
        except UnicodeDecodeError:
            self._records = _Lenient(self._records.data)
            self._aborted_transactions = sorted(self._aborted, key=lambda one: one[1])
            self._aborted_producers = set()
            yield from self._readable()  # skips what lies below next_fetch_offset

    def _readable(self) -> Iterator[Light]:
        """As the method above does in aiokafka, but for what is made of a record."""
        (topic, partition), new = self._tp, tuple.__new__
        while self._records.has_next():
            batch = self._records.next_batch()
            if not self._passed_over(batch):
                for record in batch:
                    offset = record.offset
                    if offset >= self.next_fetch_offset:  # else the rest of a batch whose beginning was read before
                        self.next_fetch_offset = offset + 1
                        headers = tuple(record.headers)
                        yield new(
                            Light, (topic, partition, offset, record.timestamp, record.key, record.value, headers)
                        )
            self.next_fetch_offset = batch.next_offset  # also behind what compaction has removed from its end

    def _passed_over(self, batch: Any) -> bool:
        """Whether the batch is a marker, or of a transaction that was aborted. Raises ``CorruptRecordException``."""
        if self._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"Invalid CRC - {self._tp}")
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)


class _Lenient(_MemoryRecordsPy):  # type: ignore[misc]  # marked final, but only by its type hints
    def next_batch(self, *args: Any) -> Any:
        """The next batch; those of formats before headers existed as they are."""
        piece = self._next_slice
        found = super().next_batch(*args)
        return _LenientBatch(piece) if piece is not None and piece[self.MAGIC_OFFSET] >= 2 else found


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # likewise
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Text(self._buffer)


class _Text(bytearray):
    """Bytes that always decode."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Text(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, "replace")
