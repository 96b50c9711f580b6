"""Customers made known: the very bytes that a resolver writes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.identifiers import Identifiers
from agents.pipeline import Pipeline
from benchmarks.seed import customer_id, identities
from benchmarks.traffic import customer_no
from schemas.codec import Codec
from schemas.topics import IDENTITIES
from tests.unit.agents.bench import CONFIG

NOW = 1_795_000_000_000
IDENTIFIERS = Identifiers(b"a key for tests only")
CUSTOMERS = [
    [customer_no(number), ("email", f"Person{number}@example.com")] if number % 3 == 0 else [customer_no(number)]
    for number in range(200)
]


def test_they_are_the_records_of_a_real_resolver() -> None:
    with Pipeline(replace(CONFIG, identifiers=IDENTIFIERS)) as bus:
        for number in range(len(CUSTOMERS)):
            bus.publish("sales", order(number), NOW)
        bus.run()
        written = [(one.key, one.value) for one in bus.log(IDENTITIES)]
    assert written == [(one.key, one.value) for one in identities(IDENTIFIERS, CUSTOMERS, NOW * 1000)]
    assert 1 + 2 * 200 + 67 == len(written)


def test_the_id_of_a_customer_is_known_from_the_place_in_the_log() -> None:
    keys = [one.key for one in identities(IDENTIFIERS, CUSTOMERS)]
    for offset in (0, 1, 199):
        assert b"c/" + customer_id(IDENTIFIERS, CUSTOMERS[offset], offset).encode() in keys


def test_whoever_cannot_be_identified_cannot_be_made_known() -> None:
    with pytest.raises(ValueError, match="without identifiers"):
        list(identities(IDENTIFIERS, [[("login", "guest")]]))


def order(number: int) -> bytes:
    known = {"identifiers": [{"type": kind, "value": value} for kind, value in CUSTOMERS[number]]}
    data = {"orderId": f"O{number}", "total": "9.90", "currency": "EUR", "customer": known}
    kind, source = "sales.order.completed.v1", "/sales/test"
    return Codec.encode_structured(type=kind, source=source, id=str(number), time=NOW * 1000, data=data)
