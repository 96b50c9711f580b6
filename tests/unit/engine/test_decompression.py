"""What compressed bytes become is bounded, whatever they say of themselves."""

from __future__ import annotations

import gzip
import tracemalloc

import cramjam
import pytest

from engine.kafka.decompression import GZIP, LZ4, SMALL, SNAPPY, ZSTD, Flaw, unpack
from tests.unit.engine.batches import PACK

CODECS = (GZIP, SNAPPY, LZ4, ZSTD)
LIMITS = (1000, SMALL - 1, SMALL, SMALL + 1, 3 * SMALL)
BODY = bytes(range(256)) * (4 * SMALL // 256)


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("codec", CODECS)
def test_up_to_the_limit_everything_comes_out_and_beyond_it_the_beginning(codec: int, limit: int) -> None:
    for size in (0, 1, limit - 1, limit):
        data, flaw = unpack(codec, memoryview(PACK[codec](BODY[:size])), limit, b"head")
        assert (b"head" + BODY[:size], None) == (data.tobytes(), flaw)
    for size in (limit + 1, 2 * limit):
        data, flaw = unpack(codec, memoryview(PACK[codec](BODY[:size])), limit, b"head")
        assert Flaw.TOO_LARGE is flaw
        assert BODY[:size].startswith(data.tobytes()[4:])
        assert len(data) <= 4 + limit
        if codec != SNAPPY:
            assert len(data) == 4 + limit


@pytest.mark.parametrize("codec", CODECS)
def test_a_bomb_takes_no_more_memory_than_the_limit(codec: int) -> None:
    packed = memoryview(PACK[codec](bytes(50 * 1024 * 1024)))
    tracemalloc.start()
    try:
        data, flaw = unpack(codec, packed, 2 * SMALL)
        assert Flaw.TOO_LARGE is flaw
        assert len(data) <= 2 * SMALL
        assert tracemalloc.get_traced_memory()[1] < 4 * SMALL
    finally:
        tracemalloc.stop()


def test_a_snappy_block_is_believed_to_become_what_it_says_and_not_unpacked() -> None:
    lying = b"\xff\xff\xff\xff\x0f" + bytes(cramjam.snappy.compress_raw(b"abc" * 100))[2:]
    data, flaw = unpack(SNAPPY, memoryview(lying), 1000)
    assert (b"", Flaw.TOO_LARGE) == (data.tobytes(), flaw)


def test_several_members_of_gzip_and_zeros_behind_them_are_one_body() -> None:
    packed = gzip.compress(b"a" * 20_000) + gzip.compress(b"") + gzip.compress(b"b" * 9) + bytes(5)
    data, flaw = unpack(GZIP, memoryview(packed), 1 << 20)
    assert (b"a" * 20_000 + b"b" * 9, None) == (data.tobytes(), flaw)


def test_many_small_members_are_no_long_work() -> None:
    packed = gzip.compress(b"") * 40_000
    data, flaw = unpack(GZIP, memoryview(packed), 1000)
    assert (b"", None) == (data.tobytes(), flaw)


@pytest.mark.parametrize("codec", [*CODECS, 5, 6, 7])
def test_garbage_has_a_flaw_and_raises_nothing(codec: int) -> None:
    good = PACK.get(codec, PACK[GZIP])(BODY[:5000])
    broken = [b"\x00", b"\xff" * 40, b"garbage" + good, good[: len(good) // 2], good[:-1], good[:20] + b"\0" * 30]
    for packed in broken:
        data, flaw = unpack(codec, memoryview(packed), 100_000, b"head")
        assert flaw is not None or BODY.startswith(data.tobytes()[4:]), packed
