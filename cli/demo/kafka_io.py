"""Publishes the story's events to Kafka and reads the bus's topics. All waiting is done here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from kafka import KafkaProducer

from agents.messages import STRUCTURED
from engine.kafka.mark import is_ours
from schemas.topics import DEAD, events_topic

from ..admin import admin, reached
from ..feed import Feed
from .story import StoryEvent

POLL_MS = 100
HOPS = 3
PATIENCE = 30.0
"""Seconds to wait for one acknowledgement of the broker."""

Offsets = Mapping[str, list[int]]
"""Topic → the offset of each partition, in the order of partition numbers."""


class CommittedRecord(NamedTuple):
    """One committed record; ``at`` is the broker's append time (ms)."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    at: int


class OutOfTime(Exception):
    """The bus did not finish in time. The message says what was waited for."""


class KafkaIO:
    """A connection that lasts as long as its ``with`` block. All waiting together may take ``seconds`` from now.

    Every method that waits may raise ``OutOfTime`` and ``kafka.errors.KafkaError``.
    """

    def __init__(self, bootstrap: str, topics: Sequence[str], seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._topics = topics
        self._admin: Any = admin(bootstrap)
        self._producer: Any = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
        self._feed = Feed(bootstrap, topics, poll_ms=POLL_MS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feed.__exit__(kind, raised, trace)
        self._admin.close()
        self._producer.close(timeout=1)

    @property
    def cluster(self) -> str:
        """The cluster's id."""
        return str(self._admin.describe_cluster()["cluster_id"])

    # --- publishing -------------------------------------------------------------------------------------------------

    def publish(self, events: Iterable[StoryEvent]) -> None:
        """Publish events. Returns when the broker has acknowledged all of them."""
        headers = list(STRUCTURED)
        sent = [self._producer.send(events_topic(event.department), event.value, headers=headers) for event in events]
        for future in sent:
            future.get(PATIENCE)

    # --- reading ----------------------------------------------------------------------------------------------------

    def ends(self) -> dict[str, list[int]]:
        """The current end offsets of the topics."""
        found: dict[str, list[int]] = {}
        for (topic, _), end in sorted(self._feed.ends().items()):
            found.setdefault(topic, []).append(end)
        return found

    def hear_from(self, offsets: Offsets) -> None:
        """Read from ``offsets`` on; a partition that starts later, from its start."""
        known = ((topic, enumerate(offsets.get(topic, ()))) for topic in self._topics)
        self._feed.start({(topic, number): at for topic, ats in known for number, at in ats})

    def hear(self) -> Iterator[CommittedRecord]:
        """The records of one poll, in the order of their append time."""
        for record in sorted(self._feed.poll(), key=lambda record: record.timestamp):
            if record.topic != DEAD and not is_ours(record):
                continue
            yield CommittedRecord(record.topic, record.key, record.value, dict(record.headers), record.timestamp)

    def hear_until(self, done: Callable[[], bool], what: Callable[[], str]) -> Iterator[CommittedRecord]:
        """Read until ``done()``. Raises ``OutOfTime`` with the text of ``what()``: what was waited for."""
        while not done():
            if time.monotonic() > self._until:
                raise OutOfTime(what())
            yield from self.hear()

    def hear_all(self) -> Iterator[CommittedRecord]:
        """All records up to the current end offsets."""
        ends = self._feed.ends()
        return self.hear_until(lambda: self._feed.is_past(ends), lambda: "the end offsets of the bus's topics")

    # --- waiting for the workers ------------------------------------------------------------------------------------

    def wait_for_group(self, group: str, topics: Iterable[str]) -> None:
        """Return when the consumer group has processed the records of ``topics`` and the records that follow from them.

        An event can go from the links log to the journal, and from there to the journal again when a customer is
        merged: so this waits ``HOPS`` times. Records that others publish in the meantime are not waited for.
        """
        places = self._feed.places(topics)
        for _ in range(HOPS):
            begins, ends = self._feed.begins(places), self._feed.ends(places)
            while True:
                done = reached(self._admin, group, places)
                lag = sum(max(0, ends[one] - max(begins[one], done.get(one, -1))) for one in places)
                if lag == 0:
                    break
                if time.monotonic() > self._until:
                    raise OutOfTime(f"the consumer group {group}, whose lag is {lag} records")
                time.sleep(POLL_MS / 1000)
