"""Rules at random: whatever a file says, the core finds, says and remembers what the oracle does."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.rule_files import BUILT_IN
from agents.vocabulary import outreach, vocabulary
from core.rule import RuleSet, parse_rule
from schemas.registry import Registry

from .conditions import kind_of, parts
from .entry import Entry, History
from .limits import forget, limit
from .matches import matches
from .random_rules import File, a_life, rule_files
from .rule_files import read
from .section_four import SECTION_FOUR
from .test_matches import by_the_core, by_the_oracle
from .test_notification import hear_in_some_order
from .worlds import EXAMPLES, SAME_WORLDS, histories

REGISTRY = Registry.discover()


def in_the_core(files: list[File]) -> RuleSet:
    """The same rules, as the bus takes them in."""
    known = vocabulary(REGISTRY)
    return RuleSet.of([parse_rule(file, known, outreach(REGISTRY)) for file in files], known)


@given(st.integers(0, 2**32))
@settings(max_examples=4 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_matches_are_what_the_files_say(seed: int) -> None:
    chance = random.Random(seed)
    files = rule_files(chance)
    life = a_life(chance, files)
    assert by_the_oracle(life, read(files)) == by_the_core(life, in_the_core(files))


@given(st.integers(0, 2**32))
@settings(max_examples=4 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_every_record_says_what_the_oracle_says(seed: int) -> None:
    chance = random.Random(seed)
    files = rule_files(chance)
    hear_in_some_order(a_life(chance, files), chance, in_the_core(files), read(files))


@pytest.mark.faults
@given(st.integers(0, 2**32))
@settings(max_examples=4 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_at_the_limits_and_whatever_is_forgotten_every_record_says_what_the_oracle_says(seed: int) -> None:
    chance = random.Random(seed)
    files = rule_files(chance)
    with pytest.MonkeyPatch.context() as patch:
        if chance.random() < 0.5:
            limit(patch, chance)
        forget(patch, chance)
        hear_in_some_order(a_life(chance, files, 60), chance, in_the_core(files), read(files))
