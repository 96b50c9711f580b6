"""Where batches are cut, which of them are not committed, and what an owner of a partition forgets, loses or restores,
shows nowhere: the same journal makes the same outputs, to a byte.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents import moves
from agents.journey import Journey
from engine.transactional.transaction import Output
from tests.unit.agents.bench import MARK, record

from .bus import IDENTIFIERS, MEMORY, METRICS, PARTITIONS, Bus
from .comparison import differences
from .limits import forget, leave_out, limit
from .lives import a_world
from .random_rules import File
from .tally import compared
from .test_bus import run
from .topics import JOURNAL, PROFILES
from .worlds import EXAMPLES, SAME_WORLDS, Publication, a_busy_quarter, a_settled_past, published

CUTS = (1, 2, 5, 1_000_000)
"""A unit of work has at most so many records."""


@pytest.mark.faults
@given(st.integers(0, 2**32))
@settings(max_examples=EXAMPLES // 3, derandomize=SAME_WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
def test_however_batches_are_cut_and_whatever_is_lost_outputs_are_equal_to_a_byte(seed: int) -> None:
    chance = random.Random(seed)
    files, publications = a_business(chance)
    with pytest.MonkeyPatch.context() as patch, Bus(seed, rules=files) as bus:
        patch.setattr(moves, "MOVE_ENTRIES", chance.choice([1, 3, 500]))
        if chance.random() < 0.3:
            limit(patch, chance)
        leave_out(patch, chance)
        run(bus, publications)
        assert [] == differences(bus.topics(), bus.oracle())
        for partition in range(PARTITIONS):
            log = bus.logs[JOURNAL, partition]
            whole = made_of(bus, partition, log, random.Random(seed), None)
            for number, most in enumerate(CUTS):
                assert whole == made_of(bus, partition, log, random.Random(seed + number), most), most
    compared("cut in five ways", len(publications))


def a_business(chance: random.Random) -> tuple[list[File] | None, list[Publication]]:
    """By the built-in rules, or others; people who turn out to be one, and who are heard of late."""
    if chance.random() < 0.5:
        files, life = a_world(chance)
        return files, published(life, chance)
    return None, published(chance.choice([a_settled_past, a_busy_quarter])(chance), chance)


Made = tuple[list[Output], dict[bytes | None, Output]]
"""What is no profile, in order; and of each customer the last profile."""


def made_of(bus: Bus, partition: int, log: Sequence[ConsumerRecord], chance: random.Random, most: int | None) -> Made:
    """All that owners of the partition make of its journal, in units of so many records at most, mishaps in between.

    In one unit, by one owner to whom nothing happens, if ``most`` is ``None``.
    """
    with pytest.MonkeyPatch.context() as patch, Owner(bus, partition) as owner:
        if most is None:
            owner.take(log)
            return owner.made()
        forget(patch, chance)
        mishaps = chance.choice([0.0, 0.2, 0.8])
        left = list(log)
        while left:
            if chance.random() < mishaps:
                owner.meet(chance.choice(MISHAPS), left)
            size = chance.randint(1, most)
            owner.take(left[:size])
            left = left[size:]
        return owner.made()


MISHAPS = ("a unit that is not committed", "nobody is at hand", "a restart", "a store that is lost")


class Owner:
    """Whoever owns a journal partition: one journey after the other, and all that they wrote and committed."""

    def __init__(self, bus: Bus, partition: int) -> None:
        self._bus, self._partition = bus, partition
        self._folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self._homes = 0
        self._written: list[Output] = []
        self._journey = self._open()

    def __enter__(self) -> Owner:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._journey.close()
        self._folder.cleanup()

    def _open(self) -> Journey:
        home = Path(self._folder.name) / str(self._homes)
        return Journey(self._partition, PARTITIONS, self._bus.rules, IDENTIFIERS, home, METRICS)

    def take(self, unit: Sequence[ConsumerRecord]) -> None:
        """A unit of work that is committed."""
        self._written += self._journey.decide(unit)
        self._journey.committed(MARK)

    def meet(self, mishap: str, ahead: Sequence[ConsumerRecord]) -> None:
        """What happens before the records ``ahead``."""
        if mishap == "a unit that is not committed":
            self._journey.decide(ahead[:3])
        elif mishap == "nobody is at hand":
            self._journey.opened(MARK)
        else:
            self._journey.close()
            self._homes += mishap == "a store that is lost"
            self._journey = self._open()
            self._restore(self._written if mishap == "a store that is lost" else self._written[-5:])

    def _restore(self, written: Sequence[Output]) -> None:
        for source in self._journey.sources():
            mirrored = [one for one in written if one.topic == source.topic]
            others = self._journey.restore(
                [
                    record(one.topic, self._partition, offset, one.value, one.key, one.headers)
                    for offset, one in enumerate(mirrored)
                ]
            )
            assert not others
        self._journey.opened(MARK)

    def made(self) -> Made:
        """All that was written."""
        others = [one for one in self._written if one.topic != PROFILES]
        return others, {one.key: one for one in self._written if one.topic == PROFILES}
