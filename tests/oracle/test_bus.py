"""The bus against the oracle: whatever is published in whatever order, its topics hold what the semantics say."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents import moves

from .bus import PARTITIONS, Bus
from .comparison import differences
from .limits import forget, leave_out, limit
from .tally import compared
from .topics import DEAD, header
from .worlds import (
    EXAMPLES,
    SAME_WORLDS,
    Publication,
    a_busy_quarter,
    a_crowd,
    businesses,
    published,
)


def run(bus: Bus, publications: list[Publication]) -> None:
    """Publishes, works a little after each, answers some of what is said, loses a store now and then, and comes to
    rest.
    """
    answering, losing = bus.chance.choice([0, 0, 0.1]), bus.chance.choice([0.02, 0.02, 0.3])
    for one in publications:
        bus.publish(one.department, one.value, one.received)
        bus.work(bus.chance.choice([0, 1, 3, 10]))
        if bus.chance.random() < answering:
            bus.answer()
        if bus.chance.random() < losing:
            bus.restart("journey", bus.chance.randrange(PARTITIONS))
        if bus.chance.random() < 0.05:
            bus.restart("resolver")
    bus.finish()


@given(businesses(), st.integers(0, 2**32), st.sampled_from([1, 3, 500]))
@settings(max_examples=EXAMPLES, derandomize=SAME_WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_topics_hold_what_the_oracle_says(publications: list[Publication], seed: int, part: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moves, "MOVE_ENTRIES", part)
        forget(patch, random.Random(seed))
        leave_out(patch, random.Random(seed))
        with Bus(seed) as bus:
            run(bus, publications)
            assert [] == differences(bus.topics(), bus.oracle())
    compared("on the bus", len(publications))


@pytest.mark.faults
@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=EXAMPLES // 2, derandomize=SAME_WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
def test_at_the_limits_the_topics_hold_what_the_oracle_says(world: int, seed: int) -> None:
    chance = random.Random(world)
    with pytest.MonkeyPatch.context() as patch:
        limit(patch, chance)
        forget(patch, chance)
        leave_out(patch, chance)
        patch.setattr(moves, "MOVE_ENTRIES", chance.choice([1, 3, 500]))
        patch.setattr(moves, "MOVE_BYTES", chance.choice([1, 1_000, 512 * 1024]))
        with Bus(seed) as bus:
            publications = published(a_busy_quarter(chance), chance)
            run(bus, publications)
            assert [] == differences(bus.topics(), bus.oracle())
    compared("on the bus, at the limits", len(publications))


@pytest.mark.faults
@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=EXAMPLES // 2, derandomize=SAME_WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
def test_strangers_who_share_values_are_told_apart_as_the_oracle_says(world: int, seed: int) -> None:
    chance = random.Random(world)
    with Bus(seed, links_a_day=chance.randint(1, 5), hearing=chance.choice([1, 0.1, 0.01])) as bus:
        crowd = a_crowd(chance)
        run(bus, crowd)
        assert [] == differences(bus.topics(), bus.oracle())
    compared("of a crowd", len(crowd))


@pytest.mark.faults
def test_a_crowd_is_one_in_which_all_of_that_happens() -> None:
    """Values are blocked, count again after a day, and events come with nothing else: at intake and at the resolver."""
    stages: set[str] = set()
    blocked = expired = refused = 0
    for seed in range(40):
        chance = random.Random(seed)
        with Bus(seed, links_a_day=2, hearing=chance.choice([1, 0.01])) as bus:
            run(bus, a_crowd(chance))
            oracle = bus.oracle()
            stages |= {header(letter, "__cxbus.errors.stage") for letter in bus.topics().of(DEAD)}
        counts = dict[str, list[int]]()
        for key, said in oracle.identities.learned:
            links = said.get("links", [])
            expired += not set(counts.get(key, links)) <= set(links)
            counts[key] = links
        blocked += len(oracle.identities.blocked)
        refused += len(oracle.refused)
    assert stages >= {"intake", "resolver"}
    assert blocked > 10
    assert expired > 10
    assert refused > 0
