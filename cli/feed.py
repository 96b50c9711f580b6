"""Reads committed records of topics through kafka-python: the newest, all, or new ones. All waiting is bounded."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CoordinatorNotAvailableError

from engine.kafka.record import Record

from .admin import TIMEOUT_MS, admin, reached
from .bounded import unpack_bounded
from .problem import Code, Problem

STALLED = 15.0
"""Seconds without a record before the end offsets are reached, after which Kafka counts as stuck."""
POLL_MS = 500
MARGIN = 20
"""How many more offsets than records are read: transaction markers take some."""

Place = tuple[str, int]
"""A topic and a partition number."""


class Stalled(Problem):
    """The end offsets were not reached in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Kafka sent nothing for {seconds:.0f} s. Check it with `cxbus status`.", Code.AWAY)


class Feed:
    """A consumer of several topics, the only one of the command line. A context manager.

    Call ``newest``, ``all`` or ``start`` first; ``follow`` or ``poll`` continues from there. ``poll_ms`` is how long
    Kafka and a poll wait for records.

    Raises ``Problem`` for topics that do not exist, and ``kafka.errors.KafkaError`` when Kafka does not answer.
    """

    def __init__(self, bootstrap: str, topics: Sequence[str], *, poll_ms: int = POLL_MS) -> None:
        self._bootstrap = bootstrap
        self._poll_ms = poll_ms
        self._partitions: list[Place] = []
        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters is also raised
        unpack_bounded()
        self._consumer: Any = KafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            max_poll_records=5000,
            fetch_max_wait_ms=poll_ms,
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
            self._assign(self.places(topics))
        except BaseException:
            self._consumer.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close(autocommit=False)

    # --- offsets ----------------------------------------------------------------------------------------------------

    def places(self, topics: Iterable[str]) -> list[Place]:
        """The partitions of ``topics``, assigned here or not."""
        return [
            TopicPartition(topic, number)
            for topic in topics
            for number in sorted(self._consumer.partitions_for_topic(topic) or ())
        ]

    def begins(self, places: Sequence[Place] | None = None) -> dict[Place, int]:
        """The first available offset of each of ``places``; default: the assigned partitions."""
        return dict(self._consumer.beginning_offsets(self._partitions if places is None else list(places)))

    def ends(self, places: Sequence[Place] | None = None) -> dict[Place, int]:
        """The last stable offset of each of ``places``; default: the assigned partitions."""
        return dict(self._consumer.end_offsets(self._partitions if places is None else list(places)))

    def start(self, offsets: Mapping[Place, int]) -> None:
        """Continue from ``offsets``; in a partition that begins later by now, from its beginning."""
        for at, offset in offsets.items():
            self._consumer.seek(TopicPartition(*at), offset)

    def is_past(self, ends: Mapping[Place, int]) -> bool:
        """Whether every assigned partition has been read up to its offset in ``ends``."""
        return all(self._consumer.position(at) >= ends[at] for at in self._partitions)

    # --- records ----------------------------------------------------------------------------------------------------

    def newest(self, count: int) -> list[Record]:
        """The last ``count`` records, oldest first, in the order in which the broker appended them."""
        begins, ends = self.begins(), self.ends()
        back = count + MARGIN
        while True:
            starts = {at: max(begins[at], ends[at] - back) for at in self._partitions}
            found = sorted(self._between(starts, ends), key=lambda r: (r.timestamp, r.topic, r.partition, r.offset))
            if len(found) >= count or starts == begins:
                return found[len(found) - count :] if count < len(found) else found
            back *= 4

    def all(self, within: float | None = None) -> Iterator[Record]:
        """All records up to the current ends, in offset order for each partition.

        Raises ``Stalled`` when it takes longer than ``within`` seconds; without ``within``, when no record comes for
        ``STALLED`` seconds.
        """
        return self._between(self.begins(), self.ends(), within)

    def at(self, partition: int, offset: int) -> Record | None:
        """The record at this offset of the first topic; ``None`` when there is none (any more).

        It changes the assignment: use the feed for nothing else afterwards.
        """
        found = next((at for at in self._partitions if at[1] == partition), None)
        if found is None:
            return None
        self._assign([found])
        if not self.begins()[found] <= offset < self.ends()[found]:
            return None
        return next(self._between({found: offset}, {found: offset + 1}), None)

    def next_of(self, group: str, topics: Sequence[str]) -> Iterator[Record]:
        """The next record for a consumer group in each partition of ``topics`` that has one.

        It changes the assignment: use the feed for nothing else afterwards.
        """
        places = [at for at in self._partitions if at[0] in topics]
        begins, ends = self.begins(places), self.ends(places)
        committed = self._committed(group, places)
        for at in places:
            start = max(committed.get(at, 0), begins[at])
            if start < ends[at]:
                self._assign([at])
                yield from itertools.islice(self._between({at: start}, {at: ends[at]}), 1)

    def follow(self) -> Iterator[Record]:
        """New records, without end."""
        while True:
            yield from self.poll()

    def poll(self) -> Iterator[Record]:
        """The records of one poll: those available, or that arrive within ``poll_ms``."""
        for records in self._consumer.poll(timeout_ms=self._poll_ms).values():
            for r in records:
                yield Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers or ()))

    def _assign(self, places: list[Place]) -> None:
        self._partitions = places
        self._consumer.assign(places)

    def _committed(self, group: str, places: Sequence[Place]) -> dict[Place, int]:
        with admin(self._bootstrap) as client:
            try:
                return reached(client, group, places)
            except CoordinatorNotAvailableError:  # the cluster never had a group
                return {}

    def _between(
        self, starts: Mapping[Place, int], ends: Mapping[Place, int], within: float | None = None
    ) -> Iterator[Record]:
        self.start(starts)
        within_seconds = STALLED if within is None else within
        until = time.monotonic() + within_seconds
        while not self.is_past(ends):
            for record in self.poll():
                if within is None:
                    until = time.monotonic() + within_seconds
                if record.offset < ends[record.topic, record.partition]:
                    yield record
            if time.monotonic() > until:
                raise Stalled(within_seconds)
        self.start(ends)  # newer records are left to ``follow``
