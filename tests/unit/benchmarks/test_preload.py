"""A population is written whole."""

from __future__ import annotations

from benchmarks.preload import Population
from benchmarks.recovery import as_changelogs
from schemas.topics import IDENTITIES, PROFILES, TIMELINE

UNTIL = 1_795_000_000_000_000


def test_everybody_has_as_many_entries_as_said_and_a_profile() -> None:
    population = Population(6, 2)
    found = list(population.past(4, UNTIL))
    assert population.records == len(found) == 18
    assert 12 == sum(one.topic == TIMELINE for one in found)
    assert 6 == len({one.key for one in found if one.topic == PROFILES})
    assert len(found) == len({(one.topic, one.key) for one in found})


def test_everybody_who_has_a_past_is_known() -> None:
    population = Population(5, 1)
    customers = {one.key.decode() for one in population.past(4, UNTIL) if one.topic == PROFILES and one.key}
    known = {one.key.decode() for one in population.known() if one.topic == IDENTITIES and one.key}
    assert {f"c/{customer}" for customer in customers} == {key for key in known if key.startswith("c/")}


def test_a_changelog_holds_the_same_keys_and_values() -> None:
    names = {TIMELINE: "app-timeline-changelog", PROFILES: "app-profiles-changelog"}
    past = list(Population(3, 1).past(4, UNTIL))
    found = list(as_changelogs(iter(past), names))
    assert [(names[one.topic], one.partition, one.key, one.value) for one in past] == [
        (one.topic, one.partition, one.key, one.value) for one in found
    ]
    assert {()} == {one.headers for one in found}
