"""The bus's own records apart from foreign ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.kafka.mark import MARK, is_ours
from engine.kafka.record import KafkaRecord


class Sieve:
    """Lets the bus's own ``records`` through, and keeps the others. To iterate anew is to begin anew.

    Raises ``engine.kafka.mark.Newer`` when iterated.
    """

    def __init__(self, records: Iterable[KafkaRecord]) -> None:
        self._records = records
        self.foreign: list[KafkaRecord] = []
        """Of the last iteration."""

    def __iter__(self) -> Iterator[KafkaRecord]:
        self.foreign = foreign = []
        for record in self._records:
            if MARK in record.headers or is_ours(record):
                yield record
            else:
                foreign.append(record)
