"""The reader of the command line: everything up to now, the newest, and no waiting without an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import pytest
from kafka import TopicPartition

from cli import feed as module
from cli.feed import Feed, Stalled
from cli.problem import Code, Problem


class Fetched(NamedTuple):
    """A record as kafka-python gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None = None
    value: bytes | None = b""
    headers: Sequence[tuple[str, bytes]] = ()


class Consumer:
    """One topic of two partitions. ``hidden``: of partition 0, what comes after is held back by an open transaction."""

    def __init__(self, hidden: int | None = None) -> None:
        self._records = [Fetched("t", n % 2, n // 2, timestamp=n) for n in range(10)]
        self._hidden = hidden
        self._positions: dict[TopicPartition, int] = {}
        self.closed = False

    def topics(self) -> set[str]:
        return {"t"}

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return {0, 1} if topic == "t" else None

    def assign(self, places: Sequence[TopicPartition]) -> None:
        self._positions = dict.fromkeys(places, 0)

    def seek(self, at: TopicPartition, offset: int) -> None:
        self._positions[at] = offset

    def position(self, at: TopicPartition) -> int:
        return self._positions[at]

    def beginning_offsets(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    def end_offsets(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(places, 5)

    def poll(self, timeout_ms: int) -> Mapping[TopicPartition, Sequence[Fetched]]:
        found: dict[TopicPartition, list[Fetched]] = {}
        for one in self._records:
            at = TopicPartition(one.topic, one.partition)
            held_back = self._hidden is not None and one.partition == 0 and one.offset >= self._hidden
            if at in self._positions and one.offset == self._positions[at] and not held_back:
                found.setdefault(at, []).append(one)
                self._positions[at] += 1
        return found

    def close(self, **options: Any) -> None:
        self.closed = True


def feed(monkeypatch: pytest.MonkeyPatch, consumer: Consumer, topics: Sequence[str] = ("t",)) -> Feed:
    monkeypatch.setattr(module, "KafkaConsumer", lambda **_: consumer)
    monkeypatch.setattr(module, "unpack_bounded", lambda: None)
    return Feed("k:9092", topics)


def test_all_is_everything_up_to_now(monkeypatch: pytest.MonkeyPatch) -> None:
    with feed(monkeypatch, consumer := Consumer()) as reader:
        assert 10 == len(list(reader.all()))
    assert consumer.closed


def test_the_newest_are_in_the_order_of_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    with feed(monkeypatch, Consumer()) as reader:
        assert [7, 8, 9] == [record.timestamp for record in reader.newest(3)]


def test_one_record_is_read_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with feed(monkeypatch, Consumer()) as reader:
        found = reader.at(1, 3)
        assert found is not None
        assert ("t", 1, 3) == (found.topic, found.partition, found.offset)
    with feed(monkeypatch, Consumer()) as reader:
        assert (None, None) == (reader.at(1, 5), reader.at(2, 0))


def test_what_stays_hidden_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALLED", 0.05)
    with feed(monkeypatch, Consumer(hidden=2)) as reader, pytest.raises(Stalled, match="Kafka sent nothing for"):
        list(reader.all())


def test_a_bound_on_the_whole_ends_the_wait_after_what_there_was(monkeypatch: pytest.MonkeyPatch) -> None:
    with feed(monkeypatch, Consumer(hidden=2)) as reader:
        records = reader.all(within=0.05)
        assert 7 == len(list(islice(records, 7)))
        with pytest.raises(Stalled):
            next(records)


def test_a_topic_that_is_not_there_is_named_and_the_connection_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Consumer()
    with pytest.raises(Problem, match=r"There is no topic cx\.no on this Kafka") as caught:
        feed(monkeypatch, consumer, ["t", "cx.no"])
    assert (Code.AWAY, True) == (caught.value.code, consumer.closed)
