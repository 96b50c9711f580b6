"""When a copy of a partition is to be believed."""

from __future__ import annotations

import pytest

from engine.kafka.copies import MAX_PAUSE_MS, Doubt, Log, Position, Reached, doubt

NOW_MS = 1_780_000_000_000
LOG = Log("cluster", "topic", 0, 100)


def at(next_offset: int = 50, *, as_of_ms: int = NOW_MS, cluster: str = "cluster", topic: str = "topic") -> Position:
    return Position(cluster, topic, Reached(next_offset, as_of_ms))


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (at(), None),
        (at(0), None),
        (at(100), None),
        (at(101), Doubt.BEYOND_END),
        (at(cluster="other"), Doubt.OTHER_CLUSTER),
        (at(cluster="other", topic="other"), Doubt.OTHER_CLUSTER),
        (at(topic="other"), Doubt.OTHER_TOPIC),
        (at(101, topic="other"), Doubt.OTHER_TOPIC),
        (at(as_of_ms=NOW_MS - MAX_PAUSE_MS), None),
        (at(as_of_ms=NOW_MS - MAX_PAUSE_MS - 1), Doubt.TOO_OLD),
        (at(as_of_ms=NOW_MS + MAX_PAUSE_MS + 1), None),  # a broker's clock was ahead: its records say so for ever
        (at(100, as_of_ms=0), None),
    ],
)
def test_the_first_reason_for_doubt_is_named(position: Position, expected: Doubt | None) -> None:
    assert doubt(position, LOG, NOW_MS, MAX_PAUSE_MS) == expected


def test_records_with_tombstones_that_went_before_they_were_read_are_a_reason_others_not() -> None:
    cut = Log("cluster", "topic", 51, 100)
    assert doubt(at(50), cut, NOW_MS, MAX_PAUSE_MS) == Doubt.BEFORE_START
    assert doubt(at(51), cut, NOW_MS, MAX_PAUSE_MS) is None
    assert doubt(at(50), cut, NOW_MS, None) is None


def test_without_tombstones_no_pause_is_too_long() -> None:
    assert doubt(at(as_of_ms=0), LOG, NOW_MS, None) is None
