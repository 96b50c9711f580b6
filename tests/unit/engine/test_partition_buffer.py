"""Buffers lose and repeat nothing, whatever the cuts, and keep a backlog in the order of broker time."""

from __future__ import annotations

from math import inf

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from engine.faust.partition_buffer import Fetched, PartitionBuffer
from engine.kafka.memory_budget import MemoryBudget


def record(offset: int, timestamp: int) -> ConsumerRecord:
    return ConsumerRecord("t", 0, offset, timestamp, 1, b"k", b"v", None, 1, 1, ())


def offsets(batch: Fetched | None) -> list[int] | None:
    return None if batch is None else [one.offset for one in batch.records]


@st.composite
def fetches(draw: st.DrawFn) -> list[tuple[int, int, list[ConsumerRecord]]]:
    """Fetch results of one partition: before, after, records; with holes and times that may go backwards."""
    position, found = draw(st.integers(0, 5)), []
    for _ in range(draw(st.integers(0, 6))):
        before, records = position, []
        for _ in range(draw(st.integers(0, 5))):
            position += draw(st.integers(0, 2))
            records.append(record(position, draw(st.integers(0, 20))))
            position += 1
        position += draw(st.integers(0, 2))
        found.append((before, position, records))
    return found


@given(fetches(), st.lists(st.integers(-1, 21), max_size=30))
def test_batches_follow_each_other_and_hold_every_record_once(
    fetched: list[tuple[int, int, list[ConsumerRecord]]], horizons: list[int]
) -> None:
    until = iter(horizons)
    start = fetched[0][0] if fetched else 0
    buffer, batches = PartitionBuffer(start, start), []
    for before, after, records in fetched:
        buffer.fill(before, after, records)
        while buffer.held:
            if (batch := buffer.next_batch(next(until, inf))) is not None:
                batches.append(batch)
    if (batch := buffer.next_batch()) is not None:
        batches.append(batch)
    assert [one for _, _, records in fetched for one in records] == [one for batch in batches for one in batch.records]
    position = start
    for batch in batches:
        assert position == batch.start < batch.end
        assert all(batch.start <= one.offset < batch.end for one in batch.records)
        position = batch.end
    assert position == (fetched[-1][1] if fetched else 0)
    assert len(batches) == buffer.in_flight


def test_a_batch_ends_before_the_first_record_beyond_the_horizon() -> None:
    buffer = PartitionBuffer(0, 0)
    buffer.fill(0, 10, [record(1, 100), record(4, 200), record(7, 300)])
    first = buffer.next_batch(250)
    assert first is not None
    assert ([1, 4], 0, 7) == (offsets(first), first.start, first.end)
    assert None is buffer.next_batch(250)
    rest = buffer.next_batch(300)
    assert rest is not None
    assert ([7], 7, 10) == (offsets(rest), rest.start, rest.end)


def test_markers_at_the_end_of_the_log_make_an_empty_batch() -> None:
    buffer = PartitionBuffer(5, 5)
    buffer.fill(5, 7, [])
    batch = buffer.next_batch()
    assert batch is not None
    assert ([], 5, 7) == (offsets(batch), batch.start, batch.end)
    assert None is buffer.next_batch()


def test_a_jump_of_the_position_shows_as_a_hole_between_batches() -> None:
    buffer = PartitionBuffer(0, 0)
    buffer.fill(0, 2, [record(0, 1), record(1, 1)])
    before = buffer.next_batch()
    buffer.fill(50, 51, [record(50, 2)])
    after = buffer.next_batch()
    assert before is not None
    assert after is not None
    assert (2, 50) == (before.end, after.start)


def test_others_wait_for_a_lane_whose_log_goes_on_but_not_for_one_read_to_its_end() -> None:
    buffer = PartitionBuffer(0, 0)
    assert -inf == buffer.complete_until(goes_on=True)
    buffer.fill(0, 2, [record(0, 100), record(1, 200)])
    assert (200, inf) == (buffer.complete_until(goes_on=True), buffer.complete_until(goes_on=False))
    buffer.next_batch()
    assert (200, inf) == (buffer.complete_until(goes_on=True), buffer.complete_until(goes_on=False))


def test_what_was_unpacked_is_held_until_the_last_batch_with_some_of_it_is_done() -> None:
    allowance = MemoryBudget(100)
    buffer = PartitionBuffer(0, 0)
    buffer.fill(0, 2, [record(0, 5), record(1, 9)], 10, allowance.reserve(60))
    buffer.fill(2, 3, [record(2, 9)], 10, allowance.reserve(30))
    first, second = buffer.next_batch(5), buffer.next_batch()
    assert first is not None
    assert second is not None
    assert ([0], [1, 2]) == (offsets(first), offsets(second))
    first.release()
    assert 90 == allowance.used
    second.release()
    second.release()
    assert 0 == allowance.used


def test_what_nobody_has_any_more_is_not_held() -> None:
    allowance = MemoryBudget(100)
    buffer: PartitionBuffer | None = PartitionBuffer(0, 0)
    assert buffer is not None
    buffer.fill(0, 1, [record(0, 5)], 10, allowance.reserve(60))
    assert allowance.has_room(40)
    assert not allowance.has_room(41)
    buffer = None
    assert allowance.has_room(1000), "one may always go on"
