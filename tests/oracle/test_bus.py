"""The bus against the oracle: whatever is published in whatever order, its topics hold what the semantics say."""

from __future__ import annotations

import random

import pytest
from aiokafka import ConsumerRecord
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents import customer_cache, moves
from agents import journey as agent
from engine.unit_of_work import Output
from tests.unit.agents.bench import MARK

from .bus import PARTITIONS, Bus
from .comparison import differences
from .limits import forget, limit
from .topics import DEAD, JOURNAL, PROFILES, header
from .worlds import (
    EXAMPLES,
    SAME_WORLDS,
    Publication,
    a_busy_quarter,
    a_crowd,
    a_settled_past,
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
            bus.restart(bus.chance.randrange(PARTITIONS))
        if bus.chance.random() < 0.05:
            bus.restart_resolver()
    bus.settle()


@given(businesses(), st.integers(0, 2**32), st.sampled_from([1, 3, 500]))
@settings(max_examples=EXAMPLES, derandomize=SAME_WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_topics_hold_what_the_oracle_says(publications: list[Publication], seed: int, part: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moves, "MOVE_ENTRIES", part)
        forget(patch, random.Random(seed))
        with Bus(seed) as bus:
            run(bus, publications)
            assert [] == differences(bus.topics(), bus.oracle())


@pytest.mark.faults
@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=EXAMPLES // 2, derandomize=SAME_WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
def test_at_the_limits_the_topics_hold_what_the_oracle_says(world: int, seed: int) -> None:
    chance = random.Random(world)
    with pytest.MonkeyPatch.context() as patch:
        limit(patch, chance)
        forget(patch, chance)
        patch.setattr(moves, "MOVE_ENTRIES", chance.choice([1, 3, 500]))
        patch.setattr(moves, "MOVE_BYTES", chance.choice([1, 1_000, 512 * 1024]))
        with Bus(seed) as bus:
            run(bus, published(a_busy_quarter(chance), chance))
            assert [] == differences(bus.topics(), bus.oracle())


@pytest.mark.faults
@given(st.integers(0, 2**32))
@settings(max_examples=EXAMPLES // 3, derandomize=SAME_WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
def test_however_batches_are_cut_and_whatever_is_lost_outputs_are_equal_to_a_byte(seed: int) -> None:
    chance = random.Random(seed)
    with Bus(seed) as bus:
        run(bus, published(chance.choice([a_settled_past, a_busy_quarter])(chance), chance))
        assert [] == differences(bus.topics(), bus.oracle())
        for partition in range(PARTITIONS):
            log = bus.logs[JOURNAL, partition]
            told = [replayed(bus, partition, log, random.Random(seed + cut), most) for cut, most in enumerate(CUTS)]
            assert [told[0]] * len(CUTS) == told


CUTS = (1, 2, 5, 1_000_000)
"""A batch has at most so many records. Where it is one, everything is forgotten after each."""


def replayed(
    bus: Bus, partition: int, log: list[ConsumerRecord], chance: random.Random, most: int
) -> tuple[list[Output], dict[bytes | None, bytes | None]]:
    """All that a journey makes of the journal: what is no document in order, and the last document of each customer."""
    outputs: list[Output] = []
    documents: dict[bytes | None, bytes | None] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent, "BYTES", 0 if most == 1 else customer_cache.BYTES)
        journey = bus.another_journey(partition)
        left = list(log)
        while left:
            batch, left = left[: (size := chance.randint(1, most))], left[size:]
            for made in journey.decide(batch):
                if made.topic == PROFILES:
                    documents[made.key] = made.value
                else:
                    outputs.append(made)
            journey.committed(MARK)
        journey.close()
    return outputs, documents


@pytest.mark.faults
@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, derandomize=SAME_WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
def test_strangers_who_share_values_are_told_apart_as_the_oracle_says(world: int, seed: int) -> None:
    chance = random.Random(world)
    with Bus(seed, links_a_day=chance.randint(1, 5), hearing=chance.choice([1, 0.1, 0.01])) as bus:
        run(bus, a_crowd(chance))
        assert [] == differences(bus.topics(), bus.oracle())


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
