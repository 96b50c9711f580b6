"""Older states: the nearest is found, what is void is gone, and few are left of many."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agents.snapshots import LATEST, MOST, Snapshots
from core.conditions import Derived


def state(at: int) -> Derived:
    return Derived(at, (at,))


class AgainstADict(RuleBasedStateMachine):
    """Of few states none is dropped: then it is a dict by customer and instant."""

    def __init__(self) -> None:
        super().__init__()
        self.snapshots = Snapshots()
        self.held: dict[str, dict[int, Derived]] = {"a": {}, "b": {}}
        self.written: dict[str, dict[int, Derived]] | None = None
        self.count = 0

    @rule(customer=st.sampled_from("ab"), at=st.integers(0, MOST - 1))
    def passes(self, customer: str, at: int) -> None:
        self.count += 1
        passed = Derived(at, (self.count,))
        self.snapshots.passed(customer, passed)
        if at > max(self.held[customer], default=-1):
            self.held[customer][at] = passed

    @rule(customer=st.sampled_from("ab"), since=st.integers(0, MOST))
    def changes(self, customer: str, since: int) -> None:
        self.snapshots.changed(customer, since)
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
            for before in range(MOST + 2):
                nearest = max((at for at in held if at < before), default=None)
                assert (None if nearest is None else held[nearest]) == self.snapshots.before(customer, before)


TestAgainstADict = AgainstADict.TestCase
TestAgainstADict.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)


@pytest.mark.parametrize("change", [lambda s: s.passed("a", state(2)), lambda s: s.changed("a", 1)])
def test_what_was_passed_or_changed_in_vain_makes_all_states_void(change: Callable[[Snapshots], None]) -> None:
    kept = Snapshots()
    kept.passed("a", state(1))
    kept.written()
    kept.drop()
    assert state(1) == kept.before("a", 9)
    change(kept)
    kept.drop()
    assert kept.before("a", 9) is None


@given(st.lists(st.integers(1, 2**40), min_size=1, max_size=80))
@settings(max_examples=200, deadline=None)
def test_of_however_many_states_the_first_the_latest_and_a_few_between_are_left(steps: list[int]) -> None:
    passed = list(itertools.accumulate(steps))
    kept = Snapshots()
    for at in passed:
        kept.passed("a", state(at))
    left = [one.at for one in kept._states["a"]]
    assert (passed[:1], passed[-LATEST:]) == (left[:1], left[-LATEST:])
    assert sorted(set(left)) == left
    assert set(left) <= set(passed)
    assert min(len(passed), LATEST + 2) <= len(left) <= MOST


def test_a_state_that_is_no_later_than_the_latest_is_known_already() -> None:
    kept = Snapshots()
    for at in (1, 5, 3, 5):
        kept.passed("a", Derived(at, ()))
    assert (Derived(1, ()), Derived(5, ())) == (kept.before("a", 5), kept.before("a", 6))
