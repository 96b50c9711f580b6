"""What one input partition has under way between the broker and the agents, and what of it is handed out next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from faust.types import TP

from engine.kafka.allowance import Hold
from engine.kafka.record import KafkaRecord


@dataclass(slots=True, eq=False)
class Fetched:
    """Records of one partition that cover the offsets from ``start`` up to, not including, ``end``."""

    records: Sequence[KafkaRecord]
    start: int
    end: int
    buffer: PartitionBuffer
    holds: Sequence[Hold] = ()
    """What is counted of the process's memory until the batch is done."""

    def release(self) -> None:
        """The batch is done."""
        for hold in self.holds:
            hold.release()


Round = Mapping[TP, Fetched]
"""What is handed out together, the value of a Faust message: Faust takes as long for one as for a dozen records."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one partition: batches, and parts of batches, ``done`` since its position was set; batches ``in_flight``;
    offsets not handed out (``lag``).
    """

    done: int
    in_flight: int
    lag: int


@dataclass(slots=True, eq=False)
class PartitionBuffer:
    """One partition since its fetch position was last set; a seek begins a new buffer, so late ``done`` count nothing.

    ``start``: first offset that is in no batch yet. ``end``: the fetch position. ``held``: the records in between, of
    fetches of ``weight`` bytes, unpacked; ``holds`` count what of it was compressed.
    ``latest``: broker time in ms of the latest record fetched. ``taken`` counts batches made, by the consumer's
    thread only; ``done`` those finished, by the main thread only: their difference needs no lock. ``parts``: of batches
    that took several units of work, all but the last ones. ``delivered``: where the next batch that an agent sees
    begins, from the first one on that was made.
    """

    start: int
    end: int
    held: Sequence[KafkaRecord] = ()
    weight: int = 0
    holds: Sequence[Hold] = ()
    latest: float = -inf
    taken: int = 0
    done: int = 0
    parts: int = 0
    delivered: int | None = None

    @property
    def in_flight(self) -> int:
        """Batches that were made and are not yet done."""
        return self.taken - self.done

    def joins(self, before: int) -> bool:
        """Whether what begins at ``before`` can be taken: a hole is not to be hidden inside of a batch."""
        return not self.held or before == self.end

    def fill(
        self, before: int, after: int, records: Sequence[KafkaRecord], weight: int = 0, hold: Hold | None = None
    ) -> None:
        """Take what the fetch position passed on its way from ``before`` to ``after``, if it ``joins``."""
        if before != self.end:  # the broker had deleted what came next: whoever reads on must see the hole
            self.start = before
        self.end = after
        self.held = [*self.held, *records] if self.held else records
        self.weight += weight
        if hold is not None:
            self.holds = (*self.holds, hold)
        if records:
            self.latest = max(self.latest, max(record.timestamp for record in records))

    def complete_until(self, goes_on: bool) -> float:
        """Broker time in ms up to which all of this buffer is here or was handed out; ``goes_on``: its log has more.

        Who hands out only what lies before the earliest of these makes a backlog or replay look like the past: a busy
        partition's hour is not overtaken by a quiet one's month.
        """
        return self.latest if goes_on else inf

    def next_batch(self, horizon: float = inf) -> Fetched | None:
        """The next batch: what is held and not later than ``horizon`` (broker time in ms), if anything.

        Offsets without records (transaction markers, aborted or compacted records) belong to the batch that ends
        behind them. At the end of the log they make an empty batch, so that they can be committed.
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
            batch.holds, self.holds, self.weight = self.holds, (), 0
        self.taken += 1
        return batch
