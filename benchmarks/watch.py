"""Watching a contestant from outside, by the offsets of its topics: that costs it next to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from .contestant import Failed, Outlets

LOOK = 0.2
QUIET = 5.0
"""Seconds without a new record after which a timeline that is long enough is complete: writers pause for less."""

STALL = 120.0
"""Seconds without any progress, the start included, until a contestant is given up."""

SHOWN = 10.0


@dataclass(slots=True)
class Progress:
    """Records on a topic, and when they were last more than before (monotonic seconds)."""

    records: int
    since: float

    def note(self, records: int, now: float) -> None:
        """What was found at ``now``."""
        if records > self.records:
            self.records, self.since = records, now

    def done(self, expected: int, now: float) -> bool:
        """Whether everything is there and nothing more comes."""
        return self.records >= expected and now - self.since >= QUIET

    def stalled(self, now: float) -> bool:
        """Whether nothing comes any more."""
        return now - self.since >= STALL


def watch(
    bootstrap: str, outlets: Outlets, expected: int, check: Callable[[], None], say: Callable[[str], None]
) -> float:
    """Returns when the timeline holds ``expected`` committed records and is quiet: when the first record was appended
    to the hop (Unix seconds). ``check`` raises when the contestant is no more.

    Raises ``Failed`` when nothing goes on, and ``KafkaError``.
    """
    begun: float | None = None

    def look(consumer: Any) -> None:
        nonlocal begun
        if begun is None and _first(consumer, outlets.hop) is not None:
            time.sleep(1)  # a record that was appended before, to another partition, shows by then
            begun = _first(consumer, outlets.hop)

    with _consumer(bootstrap) as consumer:
        _filled(consumer, outlets.timeline, expected, check, say, look)
    if begun is None:
        raise Failed(f"nothing was ever seen on {outlets.hop}")
    return begun


def filled(bootstrap: str, topic: str, expected: int, check: Callable[[], None], say: Callable[[str], None]) -> float:
    """Returns when the topic holds ``expected`` committed records and is quiet: when it last grew (Unix seconds, to
    some tenths). ``check`` raises when its writer is no more.

    Raises ``Failed`` when nothing goes on, and ``KafkaError``.
    """
    with _consumer(bootstrap) as consumer:
        since = _filled(consumer, topic, expected, check, say, lambda _: None)
    return time.time() - (time.monotonic() - since)


def length(bootstrap: str, topic: str) -> int:
    """Offsets that a topic has given out, up to where readers see. Raises ``KafkaError``."""
    with _consumer(bootstrap) as consumer:
        return _records(consumer, topic)


def _filled(
    consumer: Any,
    topic: str,
    expected: int,
    check: Callable[[], None],
    say: Callable[[str], None],
    look: Callable[[Any], None],
) -> float:
    """When it last grew (monotonic seconds)."""
    shown = began = time.monotonic()
    progress = Progress(0, began)
    while not progress.done(expected, now := time.monotonic()):
        check()
        if progress.stalled(now):
            raise Failed(f"no progress for {STALL:.0f} s: {progress.records:,} of {expected:,} records")
        look(consumer)
        progress.note(_records(consumer, topic), now)
        if now - shown >= SHOWN:
            shown = now
            say(f"{progress.records:,} of {expected:,} timeline records after {now - began:.0f} s")
        time.sleep(LOOK)
    return progress.since


@contextmanager
def _consumer(bootstrap: str) -> Iterator[Any]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False)
    try:
        yield consumer
    finally:
        consumer.close()


def _first(consumer: Any, topic: str) -> float | None:
    """Append time of the topic's oldest record (Unix seconds). Libraries delete from a hop what they have read."""
    found = consumer.offsets_for_times(dict.fromkeys(_partitions(consumer, topic), 0))
    stamps = [one.timestamp for one in found.values() if one is not None]
    return min(stamps) / 1000 if stamps else None


def _records(consumer: Any, topic: str) -> int:
    """Offsets given out, up to where readers see."""
    return sum(consumer.end_offsets(_partitions(consumer, topic)).values())


def _partitions(consumer: Any, topic: str) -> list[TopicPartition]:
    """None while the topic does not exist: some libraries make theirs when they start."""
    return [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
