"""When a local store may be read on from, and when not."""

from __future__ import annotations

import dataclasses

import pytest
from aiokafka import TopicPartition

from engine.kafka.checkpoint import Bounds, Checkpoint
from engine.kafka.cluster import Cluster

T, P = TopicPartition("t", 3), TopicPartition("p", 3)
HERE = Cluster("here", {"t": "one", "p": "two"})
MARK = Checkpoint(HERE, {T: 100, P: 50}, 1_000_000.0)
BOUNDS = Bounds({T: 0, P: 0}, {T: 120, P: 50}, HERE)
DAY = 86_400.0


def test_a_mark_is_read_as_it_was_written() -> None:
    assert MARK == Checkpoint.decode(MARK.encode())


@pytest.mark.parametrize("held", [b"", b"{", b"[]", b"{}", b'{"format": 2}', MARK.encode()[:-1]])
def test_a_mark_of_another_version_is_none(held: bytes) -> None:
    assert Checkpoint.decode(held) is None


@pytest.mark.parametrize("time", [float("inf"), float("-inf"), float("nan")])
def test_a_mark_of_no_time_is_none(time: float) -> None:
    assert Checkpoint.decode(dataclasses.replace(MARK, time=time).encode()) is None


def test_a_mark_whose_topics_are_not_those_of_its_offsets_is_of_other_topics() -> None:
    mark = dataclasses.replace(MARK, cluster=Cluster("here", {"t": "one"}))
    assert "other topics" in (mark.unusable(BOUNDS, MARK.time, 15 * DAY) or "")


@pytest.mark.parametrize("later", [0.0, 14.9 * DAY, -60.0])
def test_a_young_store_of_these_topics_is_read_on_from(later: float) -> None:
    assert MARK.unusable(BOUNDS, MARK.time + later, 15 * DAY) is None


@pytest.mark.parametrize(
    ("bounds", "later", "words"),
    [
        (dataclasses.replace(BOUNDS, cluster=Cluster("there", HERE.topics)), 0.0, "another cluster"),
        (
            dataclasses.replace(BOUNDS, cluster=Cluster("here", {"t": "one", "p": "new"})),
            0.0,
            "that were created again",
        ),
        (Bounds({T: 0}, {T: 120}, HERE), 0.0, "other topics"),
        (BOUNDS, 15 * DAY + 1, "older than 15 days"),
        (BOUNDS, -16 * DAY, "older than 15 days"),
        (dataclasses.replace(BOUNDS, ends={T: 99, P: 50}), 0.0, "partition 3 of t ends at 99, before 100"),
        (dataclasses.replace(BOUNDS, begins={T: 101, P: 0}), 0.0, "partition 3 of t begins at 101, after 100"),
    ],
)
def test_any_other_store_is_not_and_the_reason_is_told(bounds: Bounds, later: float, words: str) -> None:
    reason = MARK.unusable(bounds, MARK.time + later, 15 * DAY)
    assert reason is not None
    assert words in reason
