"""Rules at random: whatever a file says, the core finds, says and remembers what the oracle does."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import moves
from core.alerts import suppression as memory
from core.rules.conditions.kinds import KINDS as CORE_KINDS

from . import notification
from .both import Both
from .bus import Bus
from .comparison import differences
from .conditions import KINDS, kind_of, parts
from .entry import FOREVER, Entry, History
from .limits import forget, leave_out, limit
from .lives import a_world
from .matches import matches
from .random_rules import in_the_core
from .rule_files import read
from .section_four import FILES, SECTION_FOUR
from .tally import compared
from .test_bus import run
from .test_matches import by_the_core, by_the_oracle
from .test_notification import hear_in_some_order, page
from .worlds import EXAMPLES, SAME_WORLDS, START, histories, published


def test_the_oracle_has_every_kind_of_condition_and_every_built_in_rule() -> None:
    assert KINDS.keys() == CORE_KINDS.keys()
    assert SECTION_FOUR.keys() == {yaml.safe_load(path.read_text())["rule"] for path in FILES.glob("*.yaml")}


@given(histories())
@settings(max_examples=EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_the_built_in_files_say_what_section_four_says(history: list[Entry]) -> None:
    T, files = History(history), [yaml.safe_load(path.read_text()) for path in sorted(FILES.glob("*.yaml"))]
    assert matches(T, SECTION_FOUR) == matches(T, read(files))


@given(st.integers(0, 2**32))
@settings(max_examples=4 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_matches_are_what_the_files_say(seed: int) -> None:
    chance = random.Random(seed)
    files, life = a_world(chance)
    assert by_the_oracle(life, read(files)) == by_the_core(life, in_the_core(files))
    compared("by their matches, with random rules", len(life))


@given(st.integers(0, 2**32))
@settings(max_examples=4 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_every_record_says_what_the_oracle_says(seed: int) -> None:
    chance = random.Random(seed)
    files, life = a_world(chance)
    hear_in_some_order(life, chance, in_the_core(files), read(files))


@pytest.mark.faults
@given(st.integers(0, 2**32))
@settings(max_examples=2 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_at_the_limits_and_whatever_is_forgotten_every_record_says_what_the_oracle_says(seed: int) -> None:
    chance = random.Random(seed)
    files, life = a_world(chance, 60)
    with pytest.MonkeyPatch.context() as patch:
        if chance.random() < 0.5:
            limit(patch, chance)
        forget(patch, chance)
        leave_out(patch, chance)
        hear_in_some_order(life, chance, in_the_core(files), read(files))


@pytest.mark.faults
@given(st.integers(0, 2**32))
@settings(max_examples=EXAMPLES // 2, derandomize=SAME_WORLDS, deadline=None)
def test_the_topics_hold_what_the_oracle_says(seed: int) -> None:
    chance = random.Random(seed)
    files, life = a_world(chance)
    with pytest.MonkeyPatch.context() as patch, Bus(seed, rules=files) as bus:
        patch.setattr(moves, "MOVE_ENTRIES", chance.choice([1, 3, 500]))
        if chance.random() < 0.5:
            forget(patch, chance)
            leave_out(patch, chance)
        run(bus, published(life, chance))
        assert [] == differences(bus.topics(), bus.oracle())
    compared("on the bus, with random rules", len(life))


def test_of_rules_that_one_event_triggers_the_first_by_name_is_decided_first(monkeypatch: pytest.MonkeyPatch) -> None:
    simple = {"when": "engaged", "if": {"seen": "engaged", "within": "1h"}, "version": 1, "severity": "info"}
    words = {"about": "Somebody is there.", "notify": "sales", "reason": "They are there.", "action": "Say hello."}
    files = [{"rule": name, **simple, **words} for name in ("b", "a", "c")]
    for where in (memory, notification):
        monkeypatch.setattr(where, "MOST_ALERTS", 1)
    both = Both(in_the_core(files), read(files))
    both.hear(page(0), START)
    assert ["a"] == [alert.match.rule for alert in both.customers["c"].notified.alerts]


def test_random_rules_ask_everything_and_much_comes_of_it() -> None:
    """Each kind of condition is asked, in ``if`` and in ``resolves``; matches end in every way."""
    asked: Counter[tuple[str, str]] = Counter()
    ends: Counter[str] = Counter()
    for seed in range(300):
        files, life = a_world(random.Random(seed))
        for file in files:
            asked.update(
                (name, kind_of(part)) for name in ("if", "resolves") if name in file for part in parts(file[name])
            )
        instants = {e.at for e in life}
        for match in matches(History(life), read(files)):
            ends["at once"] += match.end == match.time + 1
            ends["at an entry"] += match.end in instants
            ends["by time"] += match.time + 1 < match.end < match.expires and match.end not in instants
            ends["expired"] += match.end == match.expires < FOREVER
            ends["never"] += match.end == FOREVER
    kinds = {(name, kind) for name in ("if", "resolves") for kind in KINDS} - {("resolves", "field")}
    assert kinds == {kind for kind, times in asked.items() if times > 20}
    assert min(ends.values()) > 10, ends
