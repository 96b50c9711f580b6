"""How a unit of work is cut by time."""

from __future__ import annotations

import time

from aiokafka import ConsumerRecord

from engine.kafka.record import Record
from engine.transactional.time_slice import TimeSlice

RECORDS = [ConsumerRecord("t", 0, n, 0, 0, b"k", b"v", None, 1, 1, ()) for n in range(5)]


def test_all_records_are_handed_out_when_there_is_time() -> None:
    time_slice = TimeSlice(RECORDS, 60)
    assert RECORDS == list(time_slice)
    assert [] == time_slice.left


def test_it_ends_after_the_record_in_which_time_ran_out_and_has_the_rest() -> None:
    time_slice = TimeSlice(RECORDS, 0.02)
    seen = []
    for record in time_slice:
        seen.append(record)
        if len(seen) == 2:
            time.sleep(0.03)
    assert RECORDS[:2] == seen == time_slice.taken
    assert RECORDS[2:] == time_slice.left


def test_one_record_is_handed_out_however_little_time_there_is() -> None:
    time_slice = TimeSlice(RECORDS, 0)
    assert RECORDS[:1] == list(time_slice)


def test_it_ends_behind_the_record_that_reaches_the_bytes_it_may_have() -> None:
    time_slice = TimeSlice(RECORDS, 60, 4)
    assert RECORDS[:2] == list(time_slice)
    assert 4 == time_slice.size
    assert RECORDS[2:] == time_slice.left
    assert RECORDS[:1] == list(TimeSlice(RECORDS, 60, 1))


def test_to_iterate_anew_is_to_begin_anew() -> None:
    time_slice = TimeSlice(RECORDS, 60)
    next(iter(time_slice))
    assert RECORDS == list(time_slice)


def test_of_nothing_nothing_is_left() -> None:
    time_slice = TimeSlice([], 60)
    assert [] == list(time_slice) == time_slice.left


def test_headers_count_as_bytes_too() -> None:
    records = [Record("t", 0, n, 0, None, None, (("h", b"x" * 1_000),)) for n in range(10)]
    assert 3 == len(list(TimeSlice(records, 60.0, 2_500)))
