"""Where batches are cut, which of them are not committed, and what an owner of a partition forgets, loses or restores,
shows nowhere: the same journal makes the same outputs, to a byte.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents import moves
from agents.pipeline import Input, Pipeline
from engine.kafka.record import Record
from engine.transactional.transaction import Output

from .bus import MEMORY, PARTITIONS, Bus
from .comparison import differences
from .limits import forget, leave_out, limit
from .lives import a_world
from .random_rules import File
from .tally import compared
from .test_bus import run
from .topics import JOURNAL, PROFILES
from .worlds import EXAMPLES, SAME_WORLDS, Publication, a_busy_quarter, a_past_of_long_ago, published

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
            log = bus.pipeline.log(JOURNAL, partition)
            whole = made_of(bus, partition, log, random.Random(seed), None)
            for number, most in enumerate(CUTS):
                assert whole == made_of(bus, partition, log, random.Random(seed + number), most), most
    compared("cut in five ways", len(publications))


def a_business(chance: random.Random) -> tuple[list[File] | None, list[Publication]]:
    """By the built-in rules, or others; people who turn out to be one, and who are heard of late."""
    if chance.random() < 0.5:
        files, life = a_world(chance)
        return files, published(life, chance)
    return None, published(chance.choice([a_past_of_long_ago, a_busy_quarter])(chance), chance)


Made = tuple[list[Output], dict[bytes | None, Output]]
"""What is no profile, in order; and of each customer the last profile."""


def made_of(bus: Bus, partition: int, log: Sequence[Record], chance: random.Random, most: int | None) -> Made:
    """All that owners of the partition make of its journal, in units of so many records at most, mishaps in between.

    In one unit, by one owner to whom nothing happens, if ``most`` is ``None``.
    """
    with pytest.MonkeyPatch.context() as patch, Owner(bus, partition, log) as owner:
        if most is None:
            owner.take(len(log))
            return owner.made()
        forget(patch, chance)
        mishaps = chance.choice([0.0, 0.2, 0.8])
        while owner.is_behind:
            if chance.random() < mishaps:
                owner.meet(chance.choice(MISHAPS))
            owner.take(chance.randint(1, most))
        return owner.made()


MISHAPS = ("a unit that is not committed", "nobody is at hand", "a restart", "a store that is lost")


class Owner:
    """Whoever owns a journal partition: one journey after the other, and all that they wrote and committed."""

    def __init__(self, bus: Bus, partition: int, log: Sequence[Record]) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self._pipeline = Pipeline(bus.config(), Path(self._folder.name))
        self._input = Input("journey", JOURNAL, partition)
        self._written: list[Output] = []
        for one in log:
            self._pipeline.write([Output(JOURNAL, partition, one.key, one.value, one.headers)], one.timestamp)

    def __enter__(self) -> Owner:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._pipeline.close()
        self._folder.cleanup()

    @property
    def is_behind(self) -> bool:
        """Whether there is something to take."""
        return self._input in self._pipeline.behind()

    def take(self, most: int) -> None:
        """A unit of work that is committed. The journal stays what it is: all that was sent on came back in it."""
        outputs = self._pipeline.take(self._input, most)
        self._pipeline.write(one for one in outputs if one.topic != JOURNAL)
        self._written += outputs

    def meet(self, mishap: str) -> None:
        """What happens before the next unit."""
        partition = self._input.partition
        if mishap == "a unit that is not committed":
            self._pipeline.take(self._input, 3, committed=False)
        elif mishap == "nobody is at hand":
            journey = self._pipeline.journey(partition)
            journey.opened(self._pipeline.mark(journey))
        else:
            assert not self._pipeline.restart("journey", partition, keep_store=mishap == "a restart")

    def made(self) -> Made:
        """All that was written."""
        others = [one for one in self._written if one.topic != PROFILES]
        return others, {one.key: one for one in self._written if one.topic == PROFILES}
