"""The search for foreign records in the partitions of a state, where only their owner writes.

The owner reads them when it opens, and never again. So it looks at where its own records come to stand: between two of
its transactions lies one marker, and what is more than that was written by others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import TopicPartition

from engine.kafka.cluster import Cluster
from engine.kafka.record import KafkaRecord, size_of
from engine.kafka.sieve import Sieve
from engine.transactional.transaction import Targets

FOUND_BYTES = 16 * 1024 * 1024
"""Of foreign records that are reported at once. What is more is found again by the next look."""
OVERHEAD = 1024

MUCH = 1_000
"""Offsets that were looked through and nobody was told of: the next opening would look through them again."""


class ForeignSearch:
    """``seen``: up to where each partition was looked through. ``found``: what is still to be reported."""

    def __init__(self, seen: Mapping[TopicPartition, int], cluster: Cluster) -> None:
        self.seen = dict(seen)
        self.found: list[KafkaRecord] = []
        self._cluster = cluster
        self._size = 0
        self._left: dict[TopicPartition, int] = {}
        """The first that there was no room for."""
        self._marker_to_come: set[TopicPartition] = set()
        self._untold = 0

    @property
    def worth_telling(self) -> bool:
        """Whether there is something to report, or much was looked through since ``told`` was asked."""
        return bool(self.found) or self._untold >= MUCH

    def sift(self, records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
        """The bus's own of these records of one partition; the others are found. Raises ``engine.kafka.mark.Newer``."""
        sieve = Sieve(records)
        ours = list(sieve)
        self.take(sieve.foreign)
        return ours

    def take(self, foreign: Iterable[KafkaRecord]) -> None:
        """Foreign records that were come across; those that were reported earlier are known."""
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
        """These partitions were looked through, up to there."""
        for tp, end in ends.items():
            seen = self._left.pop(tp, end)
            self._untold += seen - self.seen[tp]
            self.seen[tp] = seen

    def reported(self) -> Sequence[KafkaRecord]:
        """What was found, to be reported now."""
        found, self.found, self._size = self.found, [], 0
        return found

    def written(self, targets: Targets, ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """After a transaction: the partitions in which something else stands before its records, and where they end.

        ``ends``: the offsets behind its records, a low one where nobody knows.
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

    def told(self) -> dict[str, int]:
        """``seen``, by names that outlive no topic, to be written down."""
        self._untold = 0
        return {self._cluster.name(tp): offset for tp, offset in self.seen.items()}
