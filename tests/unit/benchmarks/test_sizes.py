"""What counts as a profile's bytes, and what of them as state."""

from __future__ import annotations

import orjson

from benchmarks.inprocess import NOW
from benchmarks.sizes import Size, measured, size_of
from engine.kafka.mark import MARK
from engine.transactional.transaction import Output

PLAIN = {"data": {"customerId": "c_1"}}
MARKED = len(MARK[0]) + len(MARK[1])


def profile(value: object, headers: tuple[tuple[str, bytes], ...] = ()) -> Output:
    return Output("cx.profiles.v1", 0, b"c_1", orjson.dumps(value), headers)


def test_key_value_and_headers_count_and_the_mark_that_is_added() -> None:
    value = len(orjson.dumps(PLAIN))
    assert Size(3 + value + 6 + MARKED, 0) == size_of(profile(PLAIN, (("some", b"it"),)))


def test_state_is_what_the_record_would_be_smaller_without_it() -> None:
    inside = profile({"data": {"customerId": "c_1", "state": {"a": [1, 2]}}})
    assert size_of(inside).whole - size_of(inside).state == size_of(profile(PLAIN)).whole
    beside = profile(PLAIN, (("state", b"1234567"),))
    assert size_of(beside).whole - size_of(beside).state == size_of(profile(PLAIN)).whole


def test_more_entries_never_take_less() -> None:
    few, many = (measured(count, 2, 7.0, NOW) for count in (3, 30))
    assert 2 == len(few) == len(many)
    assert all(one.whole < other.whole for one, other in zip(few, many, strict=True))
    assert all(0 < one.state < one.whole for one in (*few, *many))
