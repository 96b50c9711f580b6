"""Where a partition goes on."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from engine.transactional.progress import ProgressLog, ReachedInput, next_offset


@pytest.mark.parametrize(
    ("committed", "reached", "expected"),
    [
        (None, None, 0),
        (7, None, 7),
        (None, ReachedInput("this", 9), 9),
        (7, ReachedInput("this", 9), 9),
        (9, ReachedInput("this", 7), 9),
        (None, ReachedInput("former", 9), 0),
        (9, ReachedInput("former", 9), 0),
    ],
)
def test_the_next_offset_is_the_larger_one_unless_the_topic_was_made_anew(
    committed: int | None, reached: ReachedInput | None, expected: int
) -> None:
    assert expected == next_offset(committed, reached, "this")


def test_every_input_partition_has_a_partition_and_a_key_of_its_own() -> None:
    log = ProgressLog("progress", "resolver", first=12)
    assert (TopicPartition("progress", 12), b"resolver/0") == (log.place(0), log.key(0))


def test_progress_is_read_as_it_was_written() -> None:
    assert ReachedInput("id", 42) == ReachedInput.decode(ReachedInput("id", 42).encode())


@pytest.mark.parametrize("offset", ["Infinity", "1e999", "NaN", "-1", "1" + "0" * 30, "[" * 100_000, '"9"', "true"])
def test_what_is_no_progress_is_read_as_none(offset: str) -> None:
    assert ReachedInput.decode(b'{"topicId":"id","offset":%s}' % offset.encode()) is None
    assert ReachedInput.decode(b'{"topicId":"id","offset":1,"seen":{"id/0":%s}}' % offset.encode()) is None
