"""Record headers whose names are no UTF-8: read with replacement characters instead of stopping the reader for ever.

Kafka does not look at header names, aiokafka decodes them strictly: one such record would block its partition for
good, and every worker that takes it over. Reading is as before; only a fetch that fails so is read again, slowly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy


def forgive_header_names() -> None:
    """Make every aiokafka consumer of this process read such records. Repeating it changes nothing."""
    fetcher.MemoryRecords = _Kept
    fetcher.PartitionRecords = _Forgiving


class _Kept(MemoryRecords):  # type: ignore[misc]  # aiokafka gives it no type
    """A fetch that remembers its bytes, so that it can be read twice."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class _Forgiving(fetcher.PartitionRecords):  # type: ignore[misc]  # likewise
    _records: Any
    _aborted_producers: set[int]

    def __init__(self, tp: Any, records: _Kept, aborted: Any, *rest: Any) -> None:
        self._aborted = tuple(aborted or ())
        super().__init__(tp, records, aborted, *rest)

    def _unpack_records(self) -> Iterator[Any]:
        try:
            yield from super()._unpack_records()
        except UnicodeDecodeError:
            self._records = _Lenient(self._records.data)
            self._aborted_transactions = sorted(self._aborted, key=lambda one: one[1])
            self._aborted_producers = set()
            yield from super()._unpack_records()  # skips what lies below next_fetch_offset


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
