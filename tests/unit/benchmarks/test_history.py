"""Pasts that were really lived by a few, and given to many."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from agents.identifiers import Identifiers
from agents.journey import Journey
from benchmarks.history import Past, events_of, histories, models, past
from benchmarks.seed import customer_id
from benchmarks.traffic import Published, customer_no
from engine.kafka.record import Record
from engine.transactional.transaction import Output
from schemas.topics import PROFILES, TIMELINE, partition_of
from tests.unit.agents.bench import MARK, Journal, event, record

UNTIL = 1_795_000_000_000_000
IDENTIFIERS = Identifiers(b"a key for tests only")
OTHER = "c_" + "f" * 26


def test_what_is_given_to_another_is_what_the_journey_would_have_written_of_him() -> None:
    events = events_of(3, 40, UNTIL, 10.0)
    lived = past(3, customer_id(IDENTIFIERS, [customer_no(3)], 3), events, IDENTIFIERS)
    others = past(71, OTHER, [renamed(one) for one in events], IDENTIFIERS)
    partition = partition_of(OTHER, 4)
    expected = [one_at(output, partition) for output in (*others.entries, others.profile)]
    assert expected == list(lived.of(71, OTHER, IDENTIFIERS, 4))


def test_a_past_has_as_many_entries_as_wanted_in_the_order_of_time() -> None:
    (lived,) = models(IDENTIFIERS, 600, UNTIL, days=30, count=1)
    instants = [orjson.loads(one.value or b"")["data"]["at"] for one in lived.entries]
    assert 600 == len(instants)
    assert sorted(instants) == instants
    assert 600 == orjson.loads(lived.profile.value or b"")["data"]["entries"]
    assert max(instants) < UNTIL


def test_every_customer_gets_entries_and_a_profile_of_the_own_id_on_the_own_partition() -> None:
    lived = models(IDENTIFIERS, 3, UNTIL, count=2)
    outputs = list(histories(lived, range(5), IDENTIFIERS, 4))
    assert 5 * 4 == len(outputs)
    for number in range(5):
        customer = customer_id(IDENTIFIERS, [customer_no(number)], number)
        some = outputs[4 * number : 4 * number + 4]
        assert [TIMELINE, TIMELINE, TIMELINE, PROFILES] == [one.topic for one in some]
        assert {partition_of(customer, 4)} == {one.partition for one in some}
        assert customer.encode() == some[-1].key
        assert all((one.key or b"").startswith(customer.encode() + b"/") for one in some[:3])
        assert customer == orjson.loads(some[-1].value or b"")["data"]["customerId"]


def test_a_journey_restores_from_it_and_goes_on(tmp_path: Path) -> None:
    (lived,) = models(IDENTIFIERS, 20, UNTIL, count=1)
    place = partition_of(OTHER, 4)
    journal = Journal(tmp_path)
    restore(journal.journey(place), lived, place)
    journal.clock = UNTIL // 1000
    journal.publish(OTHER, event("sales.order.completed.v1", "2026-11-20T09:00:00Z", **ORDER), "sales")
    assert 21 == journal.current(PROFILES)[OTHER]["entries"]
    journal.close()


def test_nobody_has_a_past_without_events() -> None:
    with pytest.raises(ValueError, match="without events"):
        past(0, OTHER, [], IDENTIFIERS)


ORDER = {"orderId": "O1", "total": "9.90", "currency": "EUR"}


def restore(journey: Journey, lived: Past, place: int) -> None:
    """Mirrors the past of customer 9, who is called ``OTHER``."""
    journey.restore([read(output) for output in lived.of(9, OTHER, IDENTIFIERS, 4)])
    journey.opened(MARK)
    assert {place} == {output.partition for output in lived.of(9, OTHER, IDENTIFIERS, 4)}


def read(output: Output) -> Record:
    return record(output.topic, output.partition, 0, output.value, output.key, output.headers)


def renamed(one: Published) -> Published:
    """The same event of customer 71."""
    value = one.value.replace(customer_no(3)[1].encode(), customer_no(71)[1].encode())
    return one._replace(value=value.replace(b'"Person 3"', b'"Person 71"'))


def one_at(output: Output, partition: int) -> Output:
    return Output(output.topic, partition, output.key, output.value, output.headers)
