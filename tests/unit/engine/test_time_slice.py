"""How a unit of work is cut by time."""

from __future__ import annotations

import time

from aiokafka import ConsumerRecord

from engine.kafka.record import Light
from engine.transactional.time_slice import Portion

RECORDS = [ConsumerRecord("t", 0, n, 0, 0, b"k", b"v", None, 1, 1, ()) for n in range(5)]


def test_all_records_are_handed_out_when_there_is_time() -> None:
    portion = Portion(RECORDS, 60)
    assert RECORDS == list(portion)
    assert [] == portion.left


def test_it_ends_after_the_record_in_which_time_ran_out_and_has_the_rest() -> None:
    portion = Portion(RECORDS, 0.02)
    seen = []
    for record in portion:
        seen.append(record)
        if len(seen) == 2:
            time.sleep(0.03)
    assert RECORDS[:2] == seen == portion.taken
    assert RECORDS[2:] == portion.left


def test_one_record_is_handed_out_however_little_time_there_is() -> None:
    portion = Portion(RECORDS, 0)
    assert RECORDS[:1] == list(portion)


def test_it_ends_behind_the_record_that_reaches_the_bytes_it_may_have() -> None:
    portion = Portion(RECORDS, 60, 4)
    assert RECORDS[:2] == list(portion)
    assert 4 == portion.size
    assert RECORDS[2:] == portion.left
    assert RECORDS[:1] == list(Portion(RECORDS, 60, 1))


def test_to_iterate_anew_is_to_begin_anew() -> None:
    portion = Portion(RECORDS, 60)
    next(iter(portion))
    assert RECORDS == list(portion)


def test_of_nothing_nothing_is_left() -> None:
    portion = Portion([], 60)
    assert [] == list(portion) == portion.left


def test_headers_count_as_bytes_too() -> None:
    records = [Light("t", 0, n, 0, None, None, (("h", b"x" * 1_000),)) for n in range(10)]
    assert 3 == len(list(Portion(records, 60.0, 2_500)))
