"""Customers made known: the very bytes that a resolver writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.identifiers import Identifiers
from benchmarks.seed import customer_id, identities
from benchmarks.traffic import customer_no
from schemas import instant
from schemas.topics import IDENTITIES, events_topic
from tests.chaos.business import Sent, cloud_event
from tests.chaos.memory import MemoryBus
from tests.unit.agents.bench import RULES

NOW = 1_795_000_000_000
IDENTIFIERS = Identifiers(b"a key for tests only")
CUSTOMERS = [
    [customer_no(number), ("email", f"Person{number}@example.com")] if number % 3 == 0 else [customer_no(number)]
    for number in range(200)
]


def test_they_are_the_records_of_a_real_resolver(tmp_path: Path) -> None:
    bus = MemoryBus(tmp_path, RULES, IDENTIFIERS, 4)
    bus.publish([order(number) for number in range(len(CUSTOMERS))], NOW, batch=len(CUSTOMERS))
    bus.close()
    written = [(one.key, one.value) for one in bus.log.of(IDENTITIES)]
    assert written == [(one.key, one.value) for one in identities(IDENTIFIERS, CUSTOMERS, (NOW + 1000) * 1000)]
    assert 1 + 2 * 200 + 67 == len(written)


def test_the_id_of_a_customer_is_known_from_the_place_in_the_log() -> None:
    keys = [one.key for one in identities(IDENTIFIERS, CUSTOMERS)]
    for offset in (0, 1, 199):
        assert b"c/" + customer_id(IDENTIFIERS, CUSTOMERS[offset], offset).encode() in keys


def test_whoever_cannot_be_identified_cannot_be_made_known() -> None:
    with pytest.raises(ValueError, match="without identifiers"):
        list(identities(IDENTIFIERS, [[("login", "guest")]]))


def order(number: int) -> Sent:
    known = {"identifiers": [{"type": kind, "value": value} for kind, value in CUSTOMERS[number]]}
    data = {"orderId": f"O{number}", "total": "9.90", "currency": "EUR", "customer": known}
    body = cloud_event("sales.order.completed.v1", "/sales/test", str(number), NOW * 1000, data)
    assert instant.render(NOW * 1000).encode() in body
    return Sent(events_topic("sales"), b"%d" % number, body)
