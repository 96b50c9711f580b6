"""The Python peers do the bus's work: they refuse what it refuses, and in the order of time they say what it says."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import orjson
import pytest

from agents.rule_files import BUILT_IN, load
from agents.vocabulary import vocabulary
from benchmarks.peers.domain import JSON, Dead, Routed, accept, micros, newcomer, take, uid_of
from core.timeline.entry import Entry, event_uid
from schemas import instant
from schemas.registry import Registry
from tests.chaos.business import CALM, Habits, business, cloud_event

from .notified import notified

NOW = 1_795_000_000_000_000
REGISTRY = Registry.discover()
RULES = load(BUILT_IN, vocabulary(REGISTRY), REGISTRY.outreach)
CUSTOMER = {"identifiers": [{"type": "email", "value": "m@example.com"}, {"type": "customer_no", "value": "c-7"}]}
ORDER = {"customer": CUSTOMER, "orderId": "O1", "total": "129.90", "currency": "EUR"}


def order(**changed: Any) -> bytes:
    """An order; fields that are ``...`` are left out."""
    data = {name: value for name, value in {**ORDER, **changed}.items() if value is not ...}
    return cloud_event("sales.order.completed.v1", "/sales/shop", "1", NOW, data)


def test_an_event_goes_to_the_customer_whose_number_it_has() -> None:
    assert accept(order(), None) == Routed("C-7", order())


def test_a_binary_event_becomes_a_structured_one() -> None:
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/service/desk")]
    headers += [("ce_type", b"service.case.resolved.v1"), ("ce_time", b"2026-03-02T09:00:00Z")]
    found = accept(orjson.dumps({"customer": CUSTOMER, "caseId": "K1"}), headers)
    assert isinstance(found, Routed)
    expected = {
        "specversion": "1.0",
        "id": "1",
        "source": "/service/desk",
        "type": "service.case.resolved.v1",
        "time": "2026-03-02T09:00:00Z",
        "data": {"customer": CUSTOMER, "caseId": "K1"},
    }
    assert orjson.loads(found.event) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "not-json"),
        (b'{"id": ', "not-json"),
        (b"[]", "not-cloudevents"),
        (order().replace(b'"1.0"', b'"0.3"'), "not-cloudevents"),
        (order().replace(b'"id":"1"', b'"id":""'), "not-cloudevents"),
        (order().replace(b'"id":"1"', b'"id":1'), "not-cloudevents"),
        (order().replace(b"T", b" "), "not-cloudevents"),
        (order().replace(b"completed", b"complete"), "unknown-type"),
        (cloud_event("sales.order.completed.v1", "/s", "1", NOW, [1]), "invalid-data"),  # type: ignore[arg-type]  # wrong on purpose
        (order(orderId=...), "invalid-data"),
        (order(orderId=""), "invalid-data"),
        (order(total=129.9), "invalid-data"),
        (order(total="1e3"), "invalid-data"),
        (order(currency="euro"), "invalid-data"),
        (order(customer=...), "invalid-data"),
        (order(customer={"identifiers": []}), "invalid-data"),
        (order(customer={"identifiers": [{"type": "customer_no"}]}), "invalid-data"),
        (order(customer={"identifiers": [{"type": "login", "value": "guest"}]}), "no-identifier"),
    ],
)
def test_what_is_no_good_is_refused_with_a_reason(value: bytes | None, reason: str) -> None:
    found = accept(value, None)
    assert isinstance(found, Dead)
    assert found.reason == reason


def test_every_bad_event_of_a_rough_business_that_a_peer_can_know_is_refused() -> None:
    sent = [one for one in business(5, 2_000, 50, NOW, Habits(bad=0.1)) if one.reason is not None]
    unknown_to_peers = {"wrong-topic", "time-in-future", "too-large"}
    expected = [one.reason for one in sent if one.reason not in unknown_to_peers]
    found = [accept(one.value, one.headers) for one in sent if one.reason not in unknown_to_peers]
    assert expected == [dead.reason for dead in found if isinstance(dead, Dead)]


def test_in_the_order_of_time_a_peer_tells_the_alerts_that_the_rules_give() -> None:
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    told: defaultdict[str, set[str]] = defaultdict(set)
    documents: dict[str, JSON] = {}
    routed = [accept(one.value, one.headers) for one in business(3, 3_000, 60, NOW, CALM)]
    events = [(orjson.loads(one.event), one) for one in routed if isinstance(one, Routed)]
    assert len(events) == len(routed)
    for event, one in sorted(events, key=lambda pair: str(pair[0]["time"])):
        uid = uid_of(event)
        assert uid == event_uid(event["source"], event["id"])
        document = documents.setdefault(one.customer, newcomer(one.customer))
        result = take(document, event, one.event, uid)
        told[one.customer] |= {orjson.loads(alert)["id"] for alert in result.alerts}
        at = micros(event["time"])
        entries[one.customer].append(Entry(at, uid, event["type"], event["source"], event["id"], event["data"]))
    expected = {customer: {alert.id for alert in notified(past, RULES, NOW)} for customer, past in entries.items()}
    assert expected == {customer: told[customer] for customer in entries}
    assert sum(map(len, expected.values())) > 50


def test_a_document_counts_entries_and_shows_what_is_open() -> None:
    document = newcomer("C-7")
    opened = {"customer": {**CUSTOMER, "name": "Mary"}, "caseId": "K1", "category": "billing", "priority": "low"}
    issued = {"customer": CUSTOMER, "invoiceId": "I1", "total": "10.50", "currency": "EUR", "dueDate": "2026-03-31"}
    paid = {"customer": CUSTOMER, "paymentId": "P1", "invoiceId": "I1", "total": "10.5", "currency": "EUR"}
    call = {"customer": CUSTOMER, "callId": "L1", "direction": "outbound"}
    steps: list[tuple[str, JSON]] = [
        ("service.case.opened.v1", opened),
        ("finance.invoice.issued.v1", issued),
        ("sales.call.completed.v1", call),
        ("finance.payment.received.v1", paid),
    ]
    for number, (kind, data) in enumerate(steps):
        text = cloud_event(kind, "/test", str(number), NOW + number * 1_000_000, data)
        result = take(document, orjson.loads(text), text, str(number))
        assert orjson.loads(result.record)["event"] == orjson.loads(text)
    del document["state"]
    expected = {
        "customerId": "C-7",
        "name": "Mary",
        "entries": 4,
        "open": [{"entity": "case", "id": "K1", "category": "billing", "since": instant.render(NOW)}],
        "lastContact": {"sales": instant.render(NOW + 2_000_000)},
        "standing": [],
    }
    assert expected == document
