"""How a unit of work is cut and decided: as many records as fit into its time, and in slices, so that the event loop is
never blocked for long.

The cost of a record is not known beforehand: a late event of a large customer takes a thousand times as long as
another. So a unit has as many records as took about long enough before, and one that takes far longer begins again with
fewer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

import structlog

from engine.kafka.errors import Fatal
from engine.kafka.limits import Limits
from engine.kafka.record import KafkaRecord
from engine.kafka.sieve import Sieve
from engine.transactional.transaction import Output

log = structlog.get_logger("engine.transactional.unit")

GROWTH = 4
"""How many times as many records a unit may have as the one before, and how many times its time it may take."""

FIRST = 500
"""How many records the first unit of a partition may have."""

Deciding = Generator[None, None, Sequence[Output]]
"""A unit of work in progress: it stops after each record, and returns the outputs."""


class Decider(Protocol):
    """What decides units of work. Synchronous; no I/O but a local store."""

    def decide(self, records: Sequence[KafkaRecord], *, careful: bool) -> Deciding:
        """One unit of work, of these records; what an earlier one left pending is dropped when it begins.

        ``careful``: so that a record whose decision fails costs nothing but itself.
        """
        ...


@dataclass(slots=True)
class Unit:
    """The outputs of the first ``records`` records, the ``foreign`` ones among these, the ``seconds`` of deciding."""

    records: int = 0
    outputs: list[Output] = field(default_factory=list)
    foreign: Sequence[KafkaRecord] = ()
    seconds: float = 0.0


class Pace:
    """How many ``records`` are decided in about ``seconds``, going by earlier ones; ``FIRST`` without any."""

    def __init__(self, seconds: float) -> None:
        self.records = FIRST
        self._seconds = seconds

    def decided(self, records: int, seconds: float) -> None:
        """Takes note of how long so many records took."""
        fitting = max(1, int(records * self._seconds / seconds)) if seconds > 0 else GROWTH * records
        if records >= self.records:
            self.records = min(fitting, GROWTH * records)
        elif seconds > self._seconds:
            self.records = fitting


class _TooLongError(Exception):
    """A unit took far longer than its time."""


def _staying() -> bool:
    return False


class Units:
    """Decides the units of work of one partition. ``turn``: held during a slice, by one partition of a worker at a
    time: while others commit, the event loop is blocked by one slice and not by several.
    """

    def __init__(self, limits: Limits, turn: asyncio.Lock, about: str) -> None:
        self._limits, self._turn, self._about = limits, turn, about
        self._pace = Pace(limits.unit)

    async def decide(
        self, decider: Decider, records: Sequence[KafkaRecord], leaving: Callable[[], bool] = _staying
    ) -> Unit | None:
        """One unit of work, of all records or of as many of the first as fit into its time; ``None`` if it was not
        finished and ``leaving`` asked to leave it to the next owner.

        A retry of a failing decision would fail again, and take the whole fleet down: the unit is decided again,
        carefully. Raises what a careful unit raises, and ``Fatal``.
        """
        careful = False
        while True:
            own = records[: self._pace.records]
            try:
                unit = await self._decide(decider, own, leaving, careful=careful)
            except _TooLongError:
                self._pace.records = max(1, len(own) // GROWTH)
            except Fatal:
                raise
            except Exception as error:
                if careful:
                    raise
                careful, kind = True, type(error).__name__  # its text may hold personal data
                log.error("a decision failed, deciding again record by record", about=self._about, error=kind)  # noqa: TRY400
                log.debug("where it failed", exc_info=error)
            else:
                if unit is not None:
                    self._pace.decided(unit.records, unit.seconds)
                return unit

    async def _decide(
        self, decider: Decider, records: Sequence[KafkaRecord], leaving: Callable[[], bool], *, careful: bool
    ) -> Unit | None:
        sieve = Sieve(records)
        deciding, seconds = decider.decide(list(sieve), careful=careful), 0.0
        while True:
            async with self._turn:
                began = time.perf_counter()
                outputs = _slice(deciding, began + self._limits.slice)
                seconds += time.perf_counter() - began
            if outputs is not None:
                return Unit(len(records), [*outputs], sieve.foreign, seconds)
            if leaving():
                deciding.close()
                return None
            if seconds > GROWTH * self._limits.unit and len(records) > 1:
                deciding.close()
                raise _TooLongError
            await asyncio.sleep(0)


def _slice(deciding: Deciding, until: float) -> Sequence[Output] | None:
    """Decides until that time of ``perf_counter``; the outputs, if that was the end."""
    clock = time.perf_counter
    try:
        next(deciding)
        while clock() < until:
            next(deciding)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a generator's
    return None


def decided(decider: Decider, records: Sequence[KafkaRecord]) -> list[Output]:
    """The outputs of one unit of work without a break, for callers without an event loop; a careful one if a decision
    fails.
    """
    try:
        return _all(decider.decide(records, careful=False))
    except Fatal:
        raise
    except Exception:  # noqa: BLE001 -- whatever it was, it fails again or becomes a dead letter
        return _all(decider.decide(records, careful=True))


def _all(deciding: Deciding) -> list[Output]:
    outputs = _slice(deciding, inf)
    assert outputs is not None, "there is no end of time before its own"
    return [*outputs]
