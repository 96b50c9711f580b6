"""How a unit of work is cut and decided: what fits into its time, in slices, and carefully when a decision fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from engine.kafka.errors import Fatal
from engine.kafka.limits import Limits
from engine.kafka.mark import MARK
from engine.kafka.record import KafkaRecord, Record
from engine.transactional.transaction import Output
from engine.transactional.unit import FIRST, GROWTH, Deciding, Pace, Unit, Units, decided

AMPLE = Limits(slice=60.0, unit=60.0)


class Copier:
    """Copies records, each in so many ``seconds``. Decisions about offsets in ``fails`` fail unless it is careful."""

    def __init__(
        self, fails: Sequence[int] = (), seconds: float = 0.0, error: Exception | None = None, name: str = ""
    ) -> None:
        self.fails, self.seconds, self.error, self.name = fails, seconds, error or ValueError("no"), name
        self.asked: list[tuple[bool, int]] = []
        """The units: whether carefully, and how many records."""
        self.worked: list[str] = []

    def decide(self, records: Sequence[KafkaRecord], *, careful: bool) -> Deciding:
        self.asked.append((careful, len(records)))
        outputs = []
        for record in records:
            time.sleep(self.seconds)
            self.worked.append(self.name)
            if record.offset not in self.fails:
                outputs.append(copied(record.offset))
            elif not careful:
                raise self.error
            yield
        return outputs


def copied(offset: int) -> Output:
    return Output("t", 0, b"%d" % offset, b"")


def records(*offsets: int, foreign: int | None = None) -> list[KafkaRecord]:
    return [Record("j", 0, at, 0, b"k", b"v", () if at == foreign else (MARK,)) for at in offsets]


def units(limits: Limits = AMPLE) -> Units:
    return Units(limits, asyncio.Lock(), "partition 0 of j")


def unit_of(found: Units, decider: Copier, given: Sequence[KafkaRecord]) -> Unit:
    unit = asyncio.run(found.decide(decider, given))
    assert unit is not None
    return unit


def all_of(found: Units, decider: Copier, given: Sequence[KafkaRecord]) -> list[Output]:
    """The outputs of all records, unit after unit."""
    outputs, left = list[Output](), given
    while left:
        unit = unit_of(found, decider, left)
        outputs += unit.outputs
        left = left[unit.records :]
    return outputs


def test_units_become_as_large_as_their_time_allows() -> None:
    decider, many = Copier(), FIRST * (1 + GROWTH) + 9
    assert [copied(at) for at in range(many)] == all_of(units(), decider, records(*range(many)))
    assert [(False, FIRST), (False, FIRST * GROWTH), (False, 9)] == decider.asked


def test_a_unit_has_as_many_records_as_took_about_its_time() -> None:
    pace = Pace(1.0)
    assert FIRST == pace.records
    pace.decided(FIRST, 0.001)
    assert FIRST * GROWTH == pace.records, "they may have been cheap ones"
    pace.decided(FIRST * GROWTH, 2.0)
    assert FIRST * GROWTH // 2 == pace.records
    pace.decided(2, 0.001)
    assert FIRST * GROWTH // 2 == pace.records, "a short unit says little"
    pace.decided(2, 4.0)
    assert 1 == pace.records, "but one that takes long says enough"
    pace.decided(1, 100.0)
    assert 1 == pace.records
    pace.decided(1, 0.0)
    assert GROWTH == pace.records


def test_a_unit_that_takes_far_too_long_begins_again_with_fewer_records() -> None:
    decider, found = Copier(seconds=0.005), units(Limits(slice=0.001, unit=0.01))
    unit = unit_of(found, decider, records(*range(16)))  # sixteen would take 0.08 s, and four 0.02
    assert [(False, 16), (False, 4)] == decider.asked
    assert [copied(at) for at in range(4)] == unit.outputs


def test_one_record_may_take_as_long_as_it_takes() -> None:
    assert [copied(0)] == unit_of(units(Limits(slice=1e-9, unit=1e-9)), Copier(seconds=0.01), records(0)).outputs


def test_the_event_loop_works_between_slices() -> None:
    async def story() -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        await units(Limits(slice=1e-9, unit=60.0)).decide(Copier(), records(*range(21)))
        ticking.cancel()
        assert ticks >= 21

    asyncio.run(story())


def test_who_leaves_leaves_a_unit_that_takes_long_to_the_next_owner() -> None:
    def left(limits: Limits) -> bool:
        return asyncio.run(units(limits).decide(Copier(), records(0, 1, 2), lambda: True)) is None

    assert left(Limits(slice=1e-9, unit=60.0))
    assert not left(AMPLE), "the first slice was all of it"


def test_partitions_take_turns() -> None:
    async def story() -> list[str]:
        turn, worked = asyncio.Lock(), list[str]()
        limits = Limits(slice=1e-9, unit=60.0)
        both = [Copier(name=name) for name in "ab"]
        for decider in both:
            decider.worked = worked
        await asyncio.gather(*(Units(limits, turn, one.name).decide(one, records(1, 2, 3)) for one in both))
        return worked

    assert ["a", "b"] * 3 == asyncio.run(story())


@pytest.mark.parametrize("fails", [0, 3, 6])
def test_a_unit_in_which_a_decision_fails_is_decided_again_carefully(fails: int) -> None:
    decider = Copier([fails])
    assert [copied(at) for at in range(7) if at != fails] == all_of(units(), decider, records(*range(7)))
    assert [careful for careful, _ in decider.asked].count(True) == 1


def test_what_is_fatal_or_fails_carefully_is_raised() -> None:
    with pytest.raises(Fatal):
        unit_of(units(), Copier([0], error=Fatal("over")), records(0))

    class Broken(Copier):
        def decide(self, records: Sequence[KafkaRecord], *, careful: bool) -> Deciding:
            yield from super().decide(records, careful=careful)
            raise OSError("broken")

    broken = Broken()
    with pytest.raises(OSError, match="broken"):
        unit_of(units(), broken, records(0))
    assert [(False, 1), (True, 1)] == broken.asked


def test_foreign_records_are_set_apart() -> None:
    unit = unit_of(units(), Copier(), records(0, 1, 2, foreign=1))
    assert [1] == [one.offset for one in unit.foreign]
    assert (3, [copied(0), copied(2)]) == (unit.records, unit.outputs)


def test_without_an_event_loop_a_unit_is_decided_at_once() -> None:
    decider = Copier([3])
    assert [copied(0), copied(1), copied(2), copied(4)] == decided(decider, records(*range(5)))
    assert [(False, 5), (True, 5)] == decider.asked
    with pytest.raises(Fatal):
        decided(Copier([3], error=Fatal("over")), records(*range(5)))
