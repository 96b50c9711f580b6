"""One fetched batch of records, read only as far as asked for.

The records are cheap: aiokafka makes an object of eleven fields of each, at three times the cost of parsing it. What
cannot be read, or becomes too large, is an ``Unusable`` record: aiokafka would fetch such a batch again and again, and
its partition would be stuck for good. Kafka does not check header names, while aiokafka decodes them strictly: a batch
with a name that is not UTF-8 is read again, slowly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy

from engine.kafka.decompression import Flaw, unpack
from engine.kafka.record import Record, Unusable

GIVEN_BYTES = 4 * 1024 * 1024
"""Reading pauses after the record that reaches so many bytes."""
WEIGHED = 1024 * 1024
"""Bytes of a decompressed batch above which each of its records is measured."""
RECORD_BYTES, HEADER_BYTES = 300, 110
"""Bytes that a record takes in memory beside its key and value, and a short header with all its bytes."""
CROWD, MOST_HEADERS = 32, 100_000
"""Number of headers above which a record is always measured, and above which it is not read."""
LONG_RECORD = 64 * 1024
"""Bytes of a record above which it may have too many headers."""

HEAD = 61
"""Bytes before the first record; below, positions of some fields in them, and the bits of the compression codec."""
OVERHEAD, LENGTH, MAGIC, ATTRIBUTES, CODEC = 12, 8, 16, 22, 0x07
_LEGACY_ATTRIBUTES = 17
_COUNT = slice(57, 61)


class OpenBatch:
    """A batch, decompressed if need be, and how far it is read.

    ``position``: the next offset. ``weight``: bytes of the records returned, as far as they are measured; the caller
    resets it to 0. ``size``: bytes of the decompressed batch; 0 if it was not compressed. ``finished``: nothing is
    left.
    """

    def __init__(self, place: tuple[str, int], raw: memoryview, batch: Any, position: int, limit: int) -> None:
        self.position = position
        self.weight = 0
        self.size = 0
        self.finished = False
        self._place = place
        self._raw = raw
        self._batch = batch
        self._end = batch.next_offset
        self._flaw: Flaw | None = None
        self._data = raw
        self._weigh = False
        self._cursor = HEAD
        """Where the next record begins, if records are measured."""
        codec = raw[ATTRIBUTES if raw[MAGIC] >= 2 else _LEGACY_ATTRIBUTES] & CODEC
        if codec:
            self._unpack(codec, limit)

    def _unpack(self, codec: int, limit: int) -> None:
        raw = self._raw
        if raw[MAGIC] < 2:  # from brokers before 0.11: batches nested in records
            self._data, self._flaw = raw[:HEAD], Flaw.UNREADABLE
        elif not any(raw[_COUNT]):  # compaction has removed all of its records
            self._finish()
            return
        else:
            head = bytearray(raw[:HEAD])
            head[ATTRIBUTES] &= ~CODEC
            self._data, self._flaw = unpack(codec, raw[HEAD:], limit, bytes(head))
            self._data[LENGTH:OVERHEAD] = (len(self._data) - OVERHEAD).to_bytes(4, "big")
            self._batch = DefaultRecordBatch(self._data)
        self.size = len(self._data)
        if self._flaw is None and self.size <= WEIGHED:
            self.weight = self.size
        else:
            self._weigh = True

    def records(self) -> Iterator[Record | Unusable]:
        """The next records, until the end or ``GIVEN_BYTES``. Raises nothing."""
        if self.finished:
            return iter(())
        if len(self._data) <= HEAD and self._flaw is not None:
            return self._rest(self._flaw)
        return self._weighed() if self._weigh else self._plain()

    def _plain(self) -> Iterator[Record | Unusable]:
        (topic, partition), begun, end = self._place, self.position, self._end
        try:
            for record in iter(self._batch.__next__, None):  # iter(batch) works only once
                offset = record.offset
                if self.position <= offset < end:
                    self.position = offset + 1
                    headers = tuple(record.headers)
                    yield Record(topic, partition, offset, record.timestamp, record.key, record.value, headers)
                    if len(headers) > CROWD:
                        self.weight += HEADER_BYTES * len(headers)
                        if self.weight >= GIVEN_BYTES:
                            return
                elif offset >= begun:  # else it was read already
                    raise CorruptRecordException("offsets that do not rise, or leave their batch")
        except UnicodeDecodeError:
            self._read_again()
        except Exception:  # noqa: BLE001  # whatever a sender made up; a retry would fail again
            yield from self._rest(Flaw.UNREADABLE)
        else:
            self._finish()

    def _weighed(self) -> Iterator[Record | Unusable]:
        (topic, partition), flaw, begun, data = self._place, self._flaw, self.position, self._data
        try:
            while True:
                length = self._next_length()
                if length > LONG_RECORD and crowded(data, self._cursor - length):
                    yield from self._rest(Flaw.TOO_LARGE)
                    return
                record = next(self._batch, None)
                if record is None:
                    break
                offset, key, value = record.offset, record.key, record.value
                if offset < begun:  # it was read already
                    continue
                if not self.position <= offset < self._end:
                    raise CorruptRecordException("offsets that do not rise, or leave their batch")
                self.position = offset + 1
                headers = tuple(record.headers)
                self.weight += RECORD_BYTES + length + HEADER_BYTES * len(headers)
                if flaw is None:
                    yield Record(topic, partition, offset, record.timestamp, key, value, headers)
                else:
                    yield Unusable(topic, partition, offset, record.timestamp, key, value, flaw, offset, headers)
                if self.weight >= GIVEN_BYTES:
                    return
        except UnicodeDecodeError:
            self._read_again()
        except Exception:  # noqa: BLE001  # as above; a batch that is too large ends in the middle of a record
            yield from self._rest(flaw or Flaw.UNREADABLE)
        else:
            self._finish()

    def _next_length(self) -> int:
        """The next record's length in bytes; moves the cursor after it. Invalid data is left to the parser."""
        try:
            length, at = _varint(self._data, self._cursor)
        except IndexError:
            return 0
        self._cursor = at + length
        return length

    def _rest(self, flaw: Flaw) -> Iterator[Unusable]:
        """One record for the offsets that were not read, with the whole batch as Kafka stores it."""
        first, last = self.position, self._end - 1
        timestamp = getattr(self._batch, "max_timestamp", None) or 0  # old formats have none
        self._finish()
        if first <= last:
            self.weight += RECORD_BYTES + len(self._raw)
            yield Unusable(*self._place, first, timestamp, None, bytes(self._raw), flaw, last)

    def _read_again(self) -> None:
        self._batch = iter(_LenientBatch(self._data))
        self._cursor = HEAD
        self.size = 3 * len(self._data)

    def _finish(self) -> None:
        self.finished = True
        self.position = max(self.position, self._end)  # also after records that compaction has removed from its end


def crowded(data: memoryview | bytearray, at: int) -> bool:
    """Whether the record whose attributes begin at ``at`` has more than ``MOST_HEADERS``. Raises nothing."""
    try:
        for _ in range(3):  # attributes, timestamp, offset
            _, at = _varint(data, at)
        for _ in range(2):  # key, value
            taken, at = _varint(data, at)
            at += max(0, taken)
        return _varint(data, at)[0] > MOST_HEADERS
    except IndexError:
        return False


def _varint(data: memoryview | bytearray, at: int) -> tuple[int, int]:
    """A zigzag varint at ``at``, and the position after it. Raises ``IndexError`` if there is none."""
    if (byte := data[at]) < 0x80:
        return (byte >> 1) ^ -(byte & 1), at + 1
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > 63:
            raise IndexError


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # marked final, but only by its type hints
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = LenientText(self._buffer)

    def _read_msg(self, decode_varint: Any = None) -> Any:
        """Reads varints safely: aiokafka's own code reads beyond the end of the batch, which crashed the process."""
        return super()._read_msg(_varint)


class LenientText(bytearray):
    """Bytes that always decode: invalid ones are replaced."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return LenientText(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, "replace")
