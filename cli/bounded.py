"""Makes kafka-python's consumers limit the size of decompressed batches and skip unreadable ones, as the workers do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import decode_varint

from engine.kafka.decompression import unpack
from engine.kafka.limits import DecompressionLimits
from engine.kafka.record_batch import LenientText, crowded

from .output import note

LIMIT = DecompressionLimits().batch
"""Bytes of a batch after decompression, at most."""


def unpack_bounded() -> None:
    """Install the limit in every kafka-python consumer of this process. Idempotent."""
    memory_records.DefaultRecordBatch = Bounded


class Bounded(DefaultRecordBatch):  # type: ignore[misc]  # kafka-python gives it no type
    """A batch whose records are read up to the first unreadable one; a note says which are skipped."""

    _buffer: Any
    _pos: int
    _decompressed: bool

    def __iter__(self) -> Iterator[Any]:
        if self.compression_type and self.records_count:
            data, flaw = unpack(self.compression_type, memoryview(self._buffer)[self._pos :], LIMIT)
            if flaw is not None:
                self._pass_over(f"is {flaw.value}")
                return
            self._buffer, self._pos = bytearray(data), 0
        self._decompressed = True
        while self._next_record_index < self._num_records:
            try:
                if crowded(self._buffer, decode_varint(self._buffer, self._pos)[1]):
                    self._pass_over("has too many headers")
                    return
                record = self._read_msg()
            except UnicodeDecodeError:
                self._buffer = LenientText(self._buffer)
                continue
            except Exception:  # noqa: BLE001 -- a sender may have written any bytes
                self._pass_over("can't be read")
                return
            self._next_record_index += 1
            yield record

    def _pass_over(self, why: str) -> None:
        first = self.base_offset + self._next_record_index
        note(f"Skipped offsets {first} to {self.last_offset}, the rest of a record batch: it {why}.")
