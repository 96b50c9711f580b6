"""The stream that every contestant gets."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import orjson
import pytest

from benchmarks.scenario import Scenario
from benchmarks.traffic import DEPARTMENTS, customer_no, paced, traffic
from core.timeline.entry import DAY, SECOND
from schemas.codec import Codec, Decoded
from schemas.registry import Registry
from schemas.topics import department_of
from tests.chaos.business import SPAN

UNTIL = 1_795_000_000_000_000
UNIFORM = Scenario.named("200-uniform", 5_000)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(traffic(UNIFORM, UNTIL)) == list(traffic(UNIFORM, UNTIL))
    assert list(traffic(UNIFORM, UNTIL)) != list(traffic(UNIFORM, UNTIL, seed=2))


@pytest.mark.parametrize("name", ["200-uniform", "200-skewed", "10k-uniform", "10k-tilted", "10k-skewed"])
def test_there_are_about_as_many_records_as_wanted_whatever_the_number_of_customers(name: str) -> None:
    records = list(traffic(Scenario.named(name, 5_000), UNTIL))
    assert len(records) == pytest.approx(5_000, rel=0.01)


def test_it_comes_in_the_order_of_time_within_six_days() -> None:
    instants = [one.at for one in traffic(UNIFORM, UNTIL)]
    assert instants == sorted(instants)
    assert instants[0] >= UNTIL - SPAN
    assert UNTIL >= instants[-1] > UNTIL - DAY


def test_every_event_is_a_good_one_of_its_department() -> None:
    codec = Codec(Registry.discover())
    for one in traffic(UNIFORM, UNTIL):
        decoded = codec.decode(department_of(one.topic), one.value, ())
        assert isinstance(decoded, Decoded), decoded
        assert (customer_no(int(one.key)),) == decoded.identifiers
    assert set(DEPARTMENTS) == {department_of(one.topic) for one in traffic(UNIFORM, UNTIL)}


def test_few_events_come_twice_and_then_with_the_same_bytes() -> None:
    values: dict[tuple[str, str], bytes] = {}
    copies = 0
    for one in traffic(UNIFORM, UNTIL):
        copies += one.event in values
        assert one.value == values.setdefault(one.event, one.value)
        held = orjson.loads(one.value)
        assert (held["source"], held["id"]) == one.event
    assert 0.005 < copies / 5_000 < 0.015


def test_a_skewed_stream_has_the_first_customers_in_most_events() -> None:
    uniform = Counter(one.key for one in traffic(UNIFORM, UNTIL))
    skewed = Counter(one.key for one in traffic(Scenario.named("200-skewed", 5_000), UNTIL))
    assert max(uniform.values()) < 100
    # The sum of 1/r up to 200 is 5.88, so that the first has 17 %.
    assert skewed[b"0"] / 5_000 == pytest.approx(1 / 5.88, rel=0.2)
    assert skewed[b"0"] > 1.5 * skewed[b"1"]


def test_a_tilted_stream_has_no_such_head() -> None:
    tilted = Counter(one.key for one in traffic(Scenario.named("10k-tilted", 20_000), UNTIL))
    assert max(tilted.values()) / 20_000 < 0.01
    assert sum(tilted[b"%d" % number] for number in range(100)) > 2 * sum(tilted[b"%d" % n] for n in range(900, 1_000))


def test_a_pace_puts_the_same_events_at_even_distances() -> None:
    records = list(traffic(UNIFORM, UNTIL))
    stamped = list(paced(records, UNTIL, 5_000, 1_000.0))
    assert [one._replace(at=0) for one in records] == [one._replace(at=0) for one in stamped]
    assert UNTIL - 5 * SECOND == stamped[0].at
    assert {1_000} == {later.at - one.at for one, later in pairwise(stamped)}
