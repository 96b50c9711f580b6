"""Separates the bus's own records from foreign ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.kafka.mark import MARK, is_ours
from engine.kafka.record import KafkaRecord


class Sieve:
    """Iterates over the bus's own ``records`` and collects the foreign ones. Each iteration starts over.

    Raises ``engine.kafka.mark.Newer`` when iterated.
    """

    def __init__(self, records: Iterable[KafkaRecord]) -> None:
        self._records = records
        self.foreign: list[KafkaRecord] = []
        """The foreign records of the last iteration."""

    def __iter__(self) -> Iterator[KafkaRecord]:
        self.foreign = foreign = []
        for record in self._records:
            if MARK in record.headers or is_ours(record):
                yield record
            else:
                foreign.append(record)
