"""The search for foreign records in the partitions of a state, where only their owner writes.

The owner reads them when it opens, and never again. So it checks the offsets of its own records: between two of its
transactions lies one marker, and any other offset was written by somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import TopicPartition

from engine.kafka.cluster import Cluster
from engine.kafka.record import KafkaRecord, size_of
from engine.kafka.sieve import Sieve
from engine.transactional.transaction import Targets

FOUND_BYTES = 16 * 1024 * 1024
"""Bytes of foreign records that are reported at once. The next search finds the rest again."""
OVERHEAD = 1024

MUCH = 1_000
"""Searched offsets above which progress is written though nothing was found, else the next opening searches them
again.
"""


class ForeignSearch:
    """``seen``: the offset up to which each partition was searched. ``found``: the records still to be reported."""

    def __init__(self, seen: Mapping[TopicPartition, int], cluster: Cluster) -> None:
        self.seen = dict(seen)
        self.found: list[KafkaRecord] = []
        self._cluster = cluster
        self._size = 0
        self._left: dict[TopicPartition, int] = {}
        """By partition, the first offset that did not fit into ``FOUND_BYTES``."""
        self._marker_to_come: set[TopicPartition] = set()
        self._untold = 0

    @property
    def report_due(self) -> bool:
        """Whether there is something to report, or much was searched since ``told`` was called."""
        return bool(self.found) or self._untold >= MUCH

    def sift(self, records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
        """The bus's own among these records of one partition; the others are collected. Raises
        ``engine.kafka.mark.Newer``.
        """
        sieve = Sieve(records)
        ours = list(sieve)
        self.take(sieve.foreign)
        return ours

    def take(self, foreign: Iterable[KafkaRecord]) -> None:
        """Collect foreign records, unless they were reported earlier."""
        for record in foreign:
            tp = TopicPartition(record.topic, record.partition)
            if record.offset < self.seen[tp] or tp in self._left:
                continue
            size = OVERHEAD + size_of(record)
            if self.found and self._size + size > FOUND_BYTES:
                self._left[tp] = record.offset
                continue
            self._size += size
            self.found.append(record)

    def finished(self, ends: Mapping[TopicPartition, int]) -> None:
        """The search of these partitions is finished up to these offsets."""
        for tp, end in ends.items():
            seen = self._left.pop(tp, end)
            self._untold += seen - self.seen[tp]
            self.seen[tp] = seen

    def reported(self) -> Sequence[KafkaRecord]:
        """The collected records, to be reported now."""
        found, self.found, self._size = self.found, [], 0
        return found

    def written(self, targets: Targets, ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """After a transaction: the partitions where others wrote before its records, and the offsets up to which to
        search.

        ``ends``: the offsets after its records; a low one where the end is unknown.
        """
        holes = {}
        for tp, outputs in targets.items():
            number = len(outputs)
            seen, end = self.seen.get(tp), ends.get(tp, 0)
            if seen is None or end < seen + number:
                continue
            if end - number - seen > (tp in self._marker_to_come):
                holes[tp] = end
            else:
                self.seen[tp] = end
            self._marker_to_come.add(tp)
        return holes

    def for_progress(self) -> dict[str, int]:
        """``seen`` by names that a recreated topic does not share, for the progress record."""
        self._untold = 0
        return {self._cluster.name(tp): offset for tp, offset in self.seen.items()}
