"""Committed records of topics through kafka-python: the newest, all, and those to come. All waiting is bounded."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError

from engine.kafka.record import Record

from .bounded import unpack_bounded
from .problem import Code, Problem

STALLED = 15.0
"""Seconds without anything new before the end that was promised; then Kafka is taken to be stuck."""
TIMEOUT_MS = 10_000
"""Of one request."""
POLL_MS = 500
MARGIN = 20
"""Offsets more than records are looked at: markers of transactions take some."""


class Feed:
    """Some topics, read together. Raises ``Problem`` for topics that do not exist and when Kafka does not answer.

    A context manager. ``newest`` or ``all`` first; ``follow`` goes on from there.
    """

    def __init__(self, bootstrap: str, topics: Sequence[str]) -> None:

        self._bootstrap = bootstrap
        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of it is raised, too
        unpack_bounded()
        self._consumer: Any = KafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            max_poll_records=5000,
            fetch_max_wait_ms=POLL_MS,
            request_timeout_ms=TIMEOUT_MS,
            bootstrap_timeout_ms=TIMEOUT_MS,
        )
        try:
            there = self._consumer.topics()
            missing = [topic for topic in topics if topic not in there]
            if missing:
                raise Problem(
                    f"There is no topic {missing[0]} on this Kafka; `cxbus topics apply` creates it.", Code.AWAY
                )
            self._partitions = [
                TopicPartition(topic, number)
                for topic in topics
                for number in sorted(self._consumer.partitions_for_topic(topic) or ())
            ]
            self._consumer.assign(self._partitions)
        except BaseException:
            self._consumer.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close(autocommit=False)

    def newest(self, count: int) -> list[Record]:
        """The last ``count`` records, oldest first, in the order in which the broker appended them."""
        begins = self._consumer.beginning_offsets(self._partitions)
        ends = self._consumer.end_offsets(self._partitions)
        back = count + MARGIN
        while True:
            starts = {at: max(begins[at], ends[at] - back) for at in self._partitions}
            found = sorted(self._between(starts, ends), key=lambda r: (r.timestamp, r.topic, r.partition, r.offset))
            if len(found) >= count or starts == begins:
                return found[len(found) - count :] if count < len(found) else found
            back *= 4

    def all(self) -> Iterator[Record]:
        """Everything up to now, partition by partition in offset order."""
        begins = self._consumer.beginning_offsets(self._partitions)
        return self._between(begins, self._consumer.end_offsets(self._partitions))

    def at(self, partition: int, offset: int) -> Record | None:
        """The record at this place of the first topic; ``None`` when there is none (any more).

        Afterwards nothing else is read here.
        """
        found = next((at for at in self._partitions if at.partition == partition), None)
        if found is None:
            return None
        self._partitions = [found]
        self._consumer.assign(self._partitions)
        begin, end = self._consumer.beginning_offsets([found])[found], self._consumer.end_offsets([found])[found]
        if not begin <= offset < end:
            return None
        return next(self._between({found: offset}, {found: offset + 1}), None)

    def next_of(self, group: str, topics: Sequence[str]) -> Iterator[Record]:
        """The record that comes next for a consumer group, of each partition of ``topics`` where there is one."""
        places = [at for at in self._partitions if at.topic in topics]
        ends = self._consumer.end_offsets(places)
        begins = self._consumer.beginning_offsets(places)
        for at, offset in self._reached(group, places).items():
            start = max(offset, begins[at])
            if start < ends[at]:
                self._partitions = [at]
                self._consumer.assign(self._partitions)
                yield from itertools.islice(self._between({at: start}, {at: ends[at]}), 1)

    def _reached(self, group: str, places: Sequence[Any]) -> dict[Any, int]:

        with KafkaAdminClient(bootstrap_servers=self._bootstrap, bootstrap_timeout_ms=TIMEOUT_MS) as admin:
            try:
                found = admin.list_group_offsets({group: list(places)})[group]
            except CoordinatorNotAvailableError:  # no group was ever there
                found = {}
        return {at: max(0, found[at].offset) if at in found else 0 for at in places}

    def follow(self) -> Iterator[Record]:
        """What comes from now on, without end."""
        while True:
            yield from self._poll()

    def _between(self, starts: dict[Any, int], ends: dict[Any, int]) -> Iterator[Record]:
        for at, offset in starts.items():
            self._consumer.seek(at, offset)
        until = time.monotonic() + STALLED
        while any(self._consumer.position(at) < ends[at] for at in self._partitions):
            for record in self._poll(ends):
                until = time.monotonic() + STALLED
                yield record
            if time.monotonic() > until:
                raise Problem(f"Kafka sent nothing for {STALLED:.0f} s. Is it well? See `cxbus status`.", Code.AWAY)
        for at, offset in ends.items():
            self._consumer.seek(at, offset)  # what came meanwhile is left to ``follow``

    def _poll(self, ends: dict[Any, int] | None = None) -> Iterator[Record]:
        for at, records in self._consumer.poll(timeout_ms=POLL_MS).items():
            for r in records:
                if ends is None or r.offset < ends[at]:
                    yield Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers or ()))
