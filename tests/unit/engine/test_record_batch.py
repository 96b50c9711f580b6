"""What a consumer of ours makes of batches, honest and made up. aiokafka's own reader is the model of the honest."""

from __future__ import annotations

import gc
import inspect
import random
import weakref
from collections.abc import Iterator

import aiokafka
import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from engine.kafka.decompression import Flaw
from engine.kafka.limits import DecompressionLimits
from engine.kafka.privates import fetches
from engine.kafka.record import Record, Unusable, end_of
from engine.kafka.record_batch import GIVEN_BYTES, MOST_HEADERS, WEIGHED
from tests.unit.engine.batches import HEAD, NAMES, PACK, Fetched, batch, honest, number, record

LIMIT = 2 * 1024 * 1024
CODECS = [pytest.param(codec, id=name) for codec, name in NAMES.items()]
PACKED = CODECS[1:]


@pytest.fixture(autouse=True)
def bounds() -> Iterator[None]:
    """Small ones."""
    fetches.install_bounded_fetching(DecompressionLimits(LIMIT, 8 * LIMIT))
    yield
    fetches.install_bounded_fetching(DecompressionLimits())


def covered(found: list[Record | Unusable]) -> list[int]:
    """Every offset for which there is a record."""
    return [offset for one in found for offset in range(one.offset, end_of(one))]


@pytest.mark.parametrize("codec", CODECS)
def test_honest_batches_are_read_whole_from_any_offset_in_pieces_of_any_size(codec: int) -> None:
    values = [b"v%d" % n * 50 for n in range(300)]
    data = honest(values[:200], codec) + honest(values[200:], 0, first=200)
    for position in (0, 1, 198, 199):
        for most in (1, 7, 1000):
            fetched = Fetched(data, position)
            found = fetched.all(most)
            assert values[position:] == [one.value for one in found]
            assert all(isinstance(one, Record) for one in found)
            assert 300 == fetched.position


@pytest.mark.parametrize("codec", CODECS)
def test_of_a_fetch_that_was_read_nothing_is_kept(codec: int) -> None:
    fetched = Fetched(honest([b"v%d" % n * 50 for n in range(300)], codec))
    left = weakref.ref(fetched.records)
    gc.disable()  # restores turn it down, too
    try:
        assert 300 == len(fetched.all())
        del fetched.result  # which knows its consumer
        del fetched
        assert left() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("codec", PACKED)
def test_a_batch_of_the_limit_is_read_and_of_one_byte_more_its_records_are_too_large(codec: int) -> None:
    first = record(0, b"x" * 1000)
    for more, right in ((0, True), (1, False)):
        rest = LIMIT + more - len(first)
        second = next(one for n in range(30) if len(one := record(1, bytes(rest - 30 + n))) == rest)
        fetched = Fetched(batch(PACK[codec](first + second), codec, 2) + honest([b"after"], first=2))
        found = fetched.all()
        assert [0, 1, 2] == covered(found)
        assert b"after" == found[-1].value
        assert right == all(isinstance(one, Record) for one in found)
        if not right:
            begun, cut, _ = found
            assert isinstance(begun, Unusable)
            assert isinstance(cut, Unusable)
            assert (Flaw.TOO_LARGE, b"x" * 1000, 0) == (begun.flaw, begun.value, begun.last)
            assert (Flaw.TOO_LARGE, 1, 1) == (cut.flaw, cut.offset, cut.last)
            assert HEAD.size < len(cut.value) < LIMIT


@pytest.mark.parametrize("codec", PACKED)
def test_of_a_bomb_there_is_a_letter_for_each_record_read_and_one_for_the_rest(codec: int) -> None:
    body = b"".join(record(n, b"y" * 10_000, b"k", [(b"h", b"1")]) for n in range(1000))
    raw = batch(PACK[codec](body), codec, 1000, first=5)
    fetched = Fetched(raw, 5)
    found = fetched.all()
    assert list(range(5, 1005)) == covered(found)
    *single, rest = found
    assert 150 < len(single) < 250
    for one in single:
        assert isinstance(one, Unusable)
        assert (b"k", b"y" * 10_000, (("h", b"1"),), (), Flaw.TOO_LARGE) == (
            one.key,
            one.value,
            one.sent,
            one.headers,
            one.flaw,
        )
    assert isinstance(rest, Unusable)
    assert (raw, 1004, ()) == (rest.value, rest.last, rest.headers)
    assert 1005 == fetched.position


@pytest.mark.parametrize("codec", PACKED)
def test_who_went_away_in_the_middle_of_a_bomb_goes_on_there(codec: int) -> None:
    body = b"".join(record(n, b"y" * 10_000) for n in range(1000))
    data = batch(PACK[codec](body), codec, 1000)
    found = Fetched(data, 100).all(30)
    assert list(range(100, 1000)) == covered(found)
    rest = Fetched(data, 900).all()
    assert [(900, 999)] == [(one.offset, end_of(one) - 1) for one in rest]


@pytest.mark.parametrize("codec", CODECS)
def test_nonsense_behind_a_right_crc_is_passed_as_a_whole_or_from_where_it_begins(codec: int) -> None:
    good = [record(n, b"value %d" % n, b"key") for n in range(3)]
    body = b"".join(good)
    broken = [
        batch(b"", codec, 3),
        batch(b"garbage" * 30, codec, 3),
        batch(body, 5, 3),
        batch(PACK[codec](body[:-4]), codec, 3),
        batch(PACK[codec](body + b"more"), codec, 3),
        batch(PACK[codec](body), codec, 2, last=2),
        batch(PACK[codec](body), codec, 4, last=3),
        batch(PACK[codec](body), codec, -1, last=2),
        batch(PACK[codec](good[0] + b"\x01" + good[1] + good[2]), codec, 3),
        batch(PACK[codec](good[0] + b"\xff" * 12 + good[2]), codec, 3),
        batch(PACK[codec](good[0] + b"\x30\0\0\x02" + b"\xff\xff\xff\xff\x0f" + b"k" * 15 + good[2]), codec, 3),
        batch(PACK[codec](good[0] + b"\x10\0\0\x02\x01\x01\xfe\xff\xff\xff\x0f" + good[2]), codec, 3),
    ]
    for raw in broken:
        fetched = Fetched(raw + honest([b"after"], first=10))
        found = fetched.all()
        assert b"after" == found[-1].value
        assert 11 == fetched.position
        offsets = covered(found[:-1])
        assert list(range(len(offsets))) == offsets
        assert len(offsets) >= 3
        for one in found[:-1]:
            assert isinstance(one, Record) or (one.flaw is Flaw.UNREADABLE and one.value == raw)


@given(st.randoms(use_true_random=False), st.sampled_from(sorted(NAMES)))
def test_whatever_a_sender_makes_up_no_offset_is_left_out_and_none_comes_twice(
    chance: random.Random, codec: int
) -> None:
    body = bytearray(b"".join(record(n, b"v" * n, b"k", [(b"n\xc3\xa4me", b"")] * (n % 4)) for n in range(30)))
    for _ in range(chance.randrange(4)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    packed = bytearray(PACK[codec](bytes(body)))
    for _ in range(chance.randrange(3)):
        packed[chance.randrange(len(packed))] = chance.randrange(256)
    fetched = Fetched(batch(bytes(packed), codec, 30) + honest([b"after"], first=30))
    found = fetched.all(chance.randrange(1, 40))
    assert b"after" == found[-1].value
    assert 31 == fetched.position
    rest = [one for one in found if isinstance(one, Unusable)]
    assert len(rest) <= 1
    if not rest:
        assert all(isinstance(one, Record) for one in found)


@pytest.mark.parametrize("codec", CODECS)
def test_a_length_that_points_far_behind_the_end_of_a_batch_costs_that_batch_only(codec: int) -> None:
    read_with_care = record(0, b"v", None, [(b"\xff", b"h")])
    body = b"\0" + number(0) + number(1) + number(2**40)
    packed = PACK[codec](read_with_care + number(len(body)) + body)
    fetched = Fetched(batch(packed, codec, 2) + honest([b"after"], first=2))
    found = fetched.all()
    assert [(0, Record), (1, Unusable), (2, Record)] == [(one.offset, type(one)) for one in found]
    assert b"after" == found[-1].value


@pytest.mark.parametrize("codec", CODECS)
def test_a_header_name_that_is_no_utf_8_is_read_with_replacement_characters(codec: int) -> None:
    records = [record(n, b"v" * 100, None, [(b"\xff\xfename" if n % 3 else b"name", b"h")]) for n in range(12_000)]
    for some in (10, len(records)):
        found = Fetched(batch(PACK[codec](b"".join(records[:some])), codec, some)).all()
        assert list(range(some)) == [one.offset for one in found]
        assert [("\ufffd\ufffdname" if n % 3 else "name") for n in range(some)] == [one.headers[0][0] for one in found]


@pytest.mark.parametrize("codec", PACKED)
def test_a_record_with_more_headers_than_make_sense_ends_the_reading_of_its_batch(codec: int) -> None:
    crowded = record(1, b"", None, [(b"", b"")] * (MOST_HEADERS + 1))
    padding = record(2, bytes(WEIGHED))
    found = Fetched(batch(PACK[codec](record(0, b"first") + crowded + padding), codec, 3)).all()
    assert [0, 1, 2] == covered(found)
    assert [Record, Unusable] == [type(one) for one in found]


@pytest.mark.parametrize("codec", CODECS)
def test_a_partition_gives_no_more_at_a_time_than_it_may(codec: int) -> None:
    body = b"".join(record(n, bytes(100_000)) for n in range(20))
    crowd = b"".join(record(n, b"", None, [(b"", b"")] * 10_000) for n in range(20))
    for some in (body, crowd):
        many = b"".join(batch(PACK[codec](some), codec, 20, first) for first in range(0, 200, 20))
        fetched, counts = Fetched(many), []
        while fetched.result.has_more():
            taken = fetched.result.getall(4000)
            if codec and taken:
                assert isinstance(taken, fetches.TakenRecords)
                assert taken.weight <= GIVEN_BYTES + LIMIT
            counts.append(len(taken))
        assert 200 == sum(counts)
        if codec or some is crowd:
            assert max(counts) <= 60


def test_who_finds_no_room_comes_back_and_who_has_nothing_may_always_go_on() -> None:
    half = [bytes(1000)] * 1000
    fetched = [Fetched(honest(half, 1)) for _ in range(4)]
    held = [one.result.getall(10) for one in fetched]
    assert [10, 10, 0, 0] == [len(one) for one in held], "there is room for two limits, and half of one is in use twice"
    assert [10, 10, 0, 0] == [one.position for one in fetched]
    assert fetched[2].records.waits
    assert 990 == len(fetched[0].all())
    held[0].clear()
    del held[0]
    assert 10 == len(fetched[2].result.getall(10))
    assert not fetched[3].result.getall(10)
    del fetched[1:3], held
    assert 1000 == len(fetched[1].all())


def test_a_batch_larger_than_all_that_the_process_may_take_is_read_when_nothing_else_is() -> None:
    fetches.install_bounded_fetching(DecompressionLimits(LIMIT, LIMIT))
    assert 1000 == len(Fetched(honest([bytes(1500)] * 1000, 1)).all())


@pytest.mark.parametrize("codec", CODECS)
def test_an_offset_beyond_its_batch_does_not_carry_the_reader_past_those_of_others(codec: int) -> None:
    body = record(0, b"first") + record(900, b"far") + record(2, b"third")
    fetched = Fetched(batch(PACK[codec](body), codec, 3) + honest([b"after"], first=3))
    found = fetched.all()
    assert [(0, Record), (1, Unusable), (3, Record)] == [(one.offset, type(one)) for one in found]
    assert 4 == fetched.position


def test_a_batch_that_compaction_has_emptied_is_passed_over() -> None:
    fetched = Fetched(batch(b"", 4, 0, last=9) + honest([b"after"], first=10))
    assert [b"after"] == [one.value for one in fetched.all()]


def test_a_compressed_batch_of_an_old_format_is_passed_as_unreadable() -> None:
    builder = LegacyRecordBatchBuilder(1, 1, 10_000)
    for n in range(3):
        builder.append(n, timestamp=7, value=b"old" * 20, key=None)
    old = (2).to_bytes(8, "big") + bytes(builder.build())[8:]  # a broker gives the outer one the last offset
    fetched = Fetched(old)
    found = fetched.all()
    assert ([(0, 2)], 3) == ([(one.offset, end_of(one) - 1) for one in found], fetched.position)
    assert isinstance(found[0], Unusable)
    assert Flaw.UNREADABLE is found[0].flaw


def test_all_of_aiokafka_that_is_replaced_or_touched_is_as_it_was() -> None:
    """A new aiokafka may mean something else by these: look at each again, then change the test."""
    assert aiokafka.__version__.startswith("0.14.")
    ours = {"_Kept": "MemoryRecords", "_Unpacked": "PartitionRecords", "_Result": "FetchResult"}
    for name, replaced in ours.items():
        assert getattr(fetcher, replaced) is getattr(fetches, name), "whoever asks for it gets ours"
    source = inspect.getsource(fetcher.Fetcher)
    for use in (
        "records = MemoryRecords(part_data[-1])",
        "partition_records = PartitionRecords(",
        "self._records[tp] = FetchResult(",
        "if type(res_or_error) is FetchResult:",
        "records = res_or_error.getall(max_records)",
        "message = res_or_error.getone()",
    ):
        assert use in source, use
    given = ["tp", "records", "aborted_transactions", "fetch_offset", "key_deserializer", "value_deserializer"]
    assert ["self", *given, "check_crcs", "isolation_level"] == list(
        inspect.signature(fetcher.PartitionRecords.__base__.__init__).parameters
    )
    for owner, names in {
        fetcher.PartitionRecords.__base__: ("_unpack_records", "_consume_aborted_up_to", "_contains_abort_marker"),
        fetcher.FetchResult.__base__: ("check_assignment", "_update_position", "has_more", "getone", "getall"),
        DefaultRecordBatch: ("max_timestamp", "next_offset", "producer_id", "is_control_batch", "validate_crc"),
        _DefaultRecordBatchPy: ("_maybe_uncompress", "_read_msg"),
    }.items():
        assert [] == [name for name in names if not hasattr(owner, name)]
    assert "self._records_iterator = self._unpack_records()" in inspect.getsource(
        fetcher.PartitionRecords.__base__.__init__
    )
