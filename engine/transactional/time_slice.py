"""How a batch is cut: as many records as can be decided in a given time and memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from math import inf

from engine.kafka.record import KafkaRecord, size_of


class TimeSlice:
    """Yields ``records`` until ``seconds`` are over or they have ``most`` bytes, at least one. Each iteration starts
    over.

    The cost of a record is not known beforehand: a late event of a large customer takes a thousand times as long as
    another, and a unit that blocks the event loop for longer than Kafka waits would end the worker.
    """

    def __init__(self, records: Sequence[KafkaRecord], seconds: float, most: float = inf) -> None:
        self._records = records
        self._seconds = seconds
        self._most = most
        self._taken = 0
        self.size = 0
        """Bytes of the records yielded by the last iteration, if there is a ``most``."""

    def __iter__(self) -> Iterator[KafkaRecord]:
        clock, size, most = time.perf_counter, 0, self._most
        until, bounded = clock() + self._seconds, most < inf
        for taken, record in enumerate(self._records, start=1):
            self._taken = taken
            if bounded:
                self.size = size = size + size_of(record)
            yield record
            if size >= most or clock() > until:
                return

    @property
    def taken(self) -> Sequence[KafkaRecord]:
        """The records yielded by the last iteration."""
        return self._records[: self._taken]

    @property
    def left(self) -> Sequence[KafkaRecord]:
        """The records not yielded by the last iteration."""
        return self._records[self._taken :]
