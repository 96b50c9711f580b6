"""Older states: the nearest is found, what is void is gone, and few are left of many."""

from __future__ import annotations

import itertools
import random
from bisect import bisect_left
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agents import snapshots
from agents.snapshots import MOST, SECOND, SPREAD, Snapshots
from core.timeline.derived import Derived

YEAR = 365 * 24 * 3_600 * SECOND


def state(at: int) -> Derived:
    return Derived(at, (at,))


class AgainstADict(RuleBasedStateMachine):
    """Of few states none is dropped: then it is a dict by customer and instant. What is no later is known."""

    def __init__(self) -> None:
        super().__init__()
        self.snapshots = Snapshots()
        self.held: dict[str, dict[int, Derived]] = {"a": {}, "b": {}}
        self.count = 0

    @rule(customer=st.sampled_from("ab"), at=st.integers(0, 20))
    def passes(self, customer: str, at: int) -> None:
        self.count += 1
        derived = Derived(at, (self.count,))
        if at > max(self.held[customer], default=-1):
            self.held[customer][at] = derived
        self.snapshots.cache_state(customer, derived)

    @rule(customer=st.sampled_from("ab"), since=st.integers(0, 20))
    def changes(self, customer: str, since: int) -> None:
        self.snapshots.invalidate(customer, since)
        self.held[customer] = {at: one for at, one in self.held[customer].items() if at < since}

    @rule(customer=st.sampled_from("ab"))
    def forgets(self, customer: str) -> None:
        self.snapshots.forget(customer)
        self.held[customer] = {}

    @rule()
    def writes(self) -> None:
        self.snapshots.written()

    @invariant()
    def holds_the_same(self) -> None:
        for customer, held in self.held.items():
            for before in range(22):
                nearest = max((at for at in held if at < before), default=None)
                assert (None if nearest is None else held[nearest]) == self.snapshots.before(customer, before)


TestAgainstADict = AgainstADict.TestCase
TestAgainstADict.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)


@pytest.mark.parametrize("change", [lambda s: s.cache_state("a", state(2)), lambda s: s.invalidate("a", 1)])
def test_what_was_passed_or_changed_in_vain_makes_all_states_void(change: Callable[[Snapshots], None]) -> None:
    kept = Snapshots()
    kept.cache_state("a", state(1))
    kept.written()
    kept.drop()
    assert state(1) == kept.before("a", 9)
    change(kept)
    kept.drop()
    assert kept.before("a", 9) is None


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(0, 2**16))
@settings(max_examples=200, deadline=None)
def test_between_neighbours_nothing_is_missing_or_they_lie_no_further_apart_than_is_promised(
    exponents: list[int], seed: int
) -> None:
    chance = random.Random(seed)
    keeps_its_promise(list(itertools.accumulate(1 + int(chance.random() * 2**exponent) for exponent in exponents)))


@pytest.mark.parametrize("number", [100, 1_000, 10_000])
@pytest.mark.parametrize("years", [0.0001, 1, 10])
def test_so_it_is_with_long_histories(number: int, years: float) -> None:
    chance = random.Random(number)
    keeps_its_promise(sorted({int(chance.random() * years * YEAR) for _ in range(number)}))


def keeps_its_promise(passed: list[int]) -> None:
    kept = Snapshots()
    for at in passed:
        kept.cache_state("a", state(at))
    left = [one.at for one in kept._states["a"]]
    assert (passed[:1], passed[-2:]) == (left[:1], left[-2:])
    for one, other in itertools.pairwise(left):
        missing = bisect_left(passed, other) - bisect_left(passed, one) > 1
        assert not missing or other - one <= SPREAD * max(SECOND, passed[-1] - other)


@pytest.mark.parametrize("apart", [1, SECOND, 60 * SECOND, 3_600 * SECOND, 24 * 3_600 * SECOND])
def test_of_ten_years_a_dozen_or_two_states_are_left(apart: int) -> None:
    every = max(apart, 10 * YEAR // 20_000)
    kept = Snapshots()
    for at in [*range(0, 10 * YEAR, every), *range(10 * YEAR, 10 * YEAR + 50 * apart, apart)]:
        kept.cache_state("a", state(at))
    held = kept._states["a"]
    assert len(held) <= MOST
    assert 8 <= len(snapshots.thinned(held)) <= 20


def test_a_state_that_is_no_later_than_the_latest_is_known_already() -> None:
    kept = Snapshots()
    for at in (1, 5, 3, 5):
        kept.cache_state("a", Derived(at, ()))
    assert (Derived(1, ()), Derived(5, ())) == (kept.before("a", 5), kept.before("a", 6))
