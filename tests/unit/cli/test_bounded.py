"""What the command line reads with kafka-python is bounded, and what can't be read is passed over with a note."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from kafka.record import memory_records

from cli.bounded import LIMIT, unpack_bounded
from engine.kafka.decompression import GZIP, ZSTD
from engine.kafka.record_batch import MOST_HEADERS
from tests.unit.engine.batches import NAMES, PACK, batch, honest, record

MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was afterwards."""
    monkeypatch.setattr(memory_records, "DefaultRecordBatch", memory_records.DefaultRecordBatch)
    unpack_bounded()


def read(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Offset and value of each record."""
    records = memory_records.MemoryRecords(data)
    while (found := records.next_batch()) is not None:
        assert found.validate_crc()
        yield from ((one.offset, one.value) for one in found)


@pytest.mark.parametrize("codec", [pytest.param(codec, id=name) for codec, name in NAMES.items()])
def test_honest_batches_are_read_whatever_packed_them(codec: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert [(0, b"a"), (1, b"b")] == list(read(honest([b"a", b"b"], codec)))
    assert "" == capsys.readouterr().err


@pytest.mark.parametrize("codec", [GZIP, ZSTD])
def test_a_bomb_is_passed_over_with_a_note_and_without_its_memory(
    codec: int, capsys: pytest.CaptureFixture[str]
) -> None:
    data = batch(PACK[codec](record(0, bytes(3 * LIMIT))), codec, 1) + honest([b"after"], first=1)
    tracemalloc.start()
    try:
        assert [(1, b"after")] == list(read(data))
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()
    assert "Skipped offsets 0 to 0, the rest of a record batch: it is too large." in capsys.readouterr().err


def test_nonsense_is_passed_over_from_where_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    broken = batch(PACK[ZSTD](record(0, b"good") + b"garbage"), ZSTD, 3)
    assert [(0, b"good"), (3, b"after")] == list(read(broken + honest([b"after"], first=3)))
    assert "Skipped offsets 1 to 2, the rest of a record batch: it can't be read." in capsys.readouterr().err


def test_header_names_that_are_no_utf_8_and_crowds_of_headers_stop_nothing() -> None:
    odd = batch(record(0, b"odd", None, [(b"\xff", b"")]), 0, 1)
    crowd = batch(PACK[ZSTD](record(0, b"", None, [(b"", b"")] * (MOST_HEADERS + 1))), ZSTD, 1, first=1)
    assert [(0, b"odd"), (2, b"after")] == list(read(odd + crowd + honest([b"after"], first=2)))
