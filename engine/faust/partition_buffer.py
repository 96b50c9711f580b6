"""One input partition's records between the broker and the agents, and its next batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from faust.types import TP

from engine.kafka.memory_budget import Reservation
from engine.kafka.record import KafkaRecord


@dataclass(slots=True, eq=False)
class Fetched:
    """A batch of one partition that covers the offsets from ``start`` up to, not including, ``end``."""

    records: Sequence[KafkaRecord]
    start: int
    end: int
    buffer: PartitionBuffer
    reservations: Sequence[Reservation] = ()
    """Memory that is reserved until the batch is done."""

    def release(self) -> None:
        """Release the memory: the batch is done."""
        for reservation in self.reservations:
            reservation.release()


Round = Mapping[TP, Fetched]
"""Batches that are delivered together as the value of one Faust message: one costs Faust as much as a dozen
records do.
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of one partition: batches, and parts of batches, ``done`` since its position was set; batches
    ``in_flight``; offsets not delivered (``lag``).
    """

    done: int
    in_flight: int
    lag: int


@dataclass(slots=True, eq=False)
class PartitionBuffer:
    """One partition since its fetch position was last set; a seek begins a new buffer, so that late ``done`` are not
    counted.

    ``start``: first offset that is in no batch yet. ``end``: the fetch position. ``held``: the records in between, from
    fetches of ``weight`` bytes after decompression; ``reservations`` reserve the memory of those that were compressed.
    ``latest``: broker time in ms of the latest record fetched. ``taken`` counts batches made, by the consumer's thread
    only; ``done`` those finished, by the main thread only: their difference needs no lock. ``parts`` counts units of
    work that did not finish their batch. ``delivered``: the start of the next batch that an agent must get, from the
    first batch on.
    """

    start: int
    end: int
    held: Sequence[KafkaRecord] = ()
    weight: int = 0
    reservations: Sequence[Reservation] = ()
    latest: float = -inf
    taken: int = 0
    done: int = 0
    parts: int = 0
    delivered: int | None = None

    @property
    def in_flight(self) -> int:
        """Batches that are delivered and not done yet."""
        return self.taken - self.done

    def joins(self, before: int) -> bool:
        """Whether records that begin at ``before`` can be added: a gap must not be hidden inside a batch."""
        return not self.held or before == self.end

    def fill(
        self,
        before: int,
        after: int,
        records: Sequence[KafkaRecord],
        weight: int = 0,
        reservation: Reservation | None = None,
    ) -> None:
        """Add the records that the fetch position passed from ``before`` to ``after``, if it ``joins``."""
        if before != self.end:  # retention has deleted what came next: the agent must see the gap
            self.start = before
        self.end = after
        self.held = [*self.held, *records] if self.held else records
        self.weight += weight
        if reservation is not None:
            self.reservations = (*self.reservations, reservation)
        if records:
            self.latest = max(self.latest, max(record.timestamp for record in records))

    def complete_until(self, goes_on: bool) -> float:
        """Watermark: broker time in ms up to which all records of this partition are fetched; ``goes_on``: its log has
        more.

        Delivering only what lies before the earliest of these keeps a backlog or replay in the order of time: the last
        hour of a busy partition is not overtaken by the last month of another.
        """
        return self.latest if goes_on else inf

    def next_batch(self, horizon: float = inf) -> Fetched | None:
        """The next batch: the records held that are not later than ``horizon`` (broker time in ms), if any.

        Offsets without records (transaction markers, aborted or compacted records) belong to the batch that ends after
        them. At the end of the log they make an empty batch, so that they can be committed.
        """
        records, end, rest = self.held, self.end, self.held[:0]
        if records and self.latest > horizon:
            cut = next((at for at, record in enumerate(records) if record.timestamp > horizon), len(records))
            if cut < len(records):
                records, end, rest = records[:cut], records[cut].offset, records[cut:]
                if not records:
                    return None
        if end == self.start:
            return None
        batch = Fetched(records, self.start, end, self)
        if not self.taken:
            self.delivered = self.start
        self.start, self.held = end, rest
        if not rest:
            batch.reservations, self.reservations, self.weight = self.reservations, (), 0
        self.taken += 1
        return batch
