"""Every event type of the vocabulary, field by field."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from schemas.codec import Codec, Decoded
from schemas.refusal import Reason, Refusal
from schemas.registry import Registry

from .event_examples import CUSTOMER, MINIMAL, OPTIONAL, full, minimal, topic_of

REGISTRY = Registry.discover()
CODEC = Codec(REGISTRY)
TYPES = sorted(MINIMAL)
STRUCTURED = [("content-type", b"application/cloudevents+json")]


def decode(name: str, data: dict[str, Any]) -> Decoded | Refusal:
    value = Codec.encode_structured(type=name, source="/test", id="1", time="2026-03-02T09:00:00Z", data=data)
    return CODEC.decode(topic_of(name), value, STRUCTURED)


def test_the_registry_holds_exactly_the_types_of_the_vocabulary() -> None:
    assert TYPES == sorted(REGISTRY.types)


@pytest.mark.parametrize("name", TYPES)
def test_the_full_example_names_exactly_the_fields_of_the_type(name: str) -> None:
    assert sorted(full(name)) == sorted(REGISTRY.types[name][1].data.model_fields)


@pytest.mark.parametrize("name", TYPES)
def test_minimal_and_full_examples_are_good_and_come_out_as_they_went_in(name: str) -> None:
    for data in (minimal(name), full(name)):
        event = decode(name, data)
        assert isinstance(event, Decoded), event
        assert data == orjson.loads(event.value)["data"]
        assert name == event.type


@pytest.mark.parametrize("name", TYPES)
def test_the_example_in_the_departments_file_is_good(name: str) -> None:
    whom = {} if name.startswith("bus.") else {"customer": CUSTOMER}
    event = decode(name, {**whom, **REGISTRY.types[name][1].example})
    assert isinstance(event, Decoded), event


@pytest.mark.parametrize("name", TYPES)
def test_both_content_modes_give_the_same_event(name: str) -> None:
    data = full(name)
    structured = decode(name, data)
    attributes = {"specversion": "1.0", "id": "1", "source": "/test", "type": name, "time": "2026-03-02T09:00:00Z"}
    headers = [("content-type", b"application/json")] + [(f"ce_{key}", v.encode()) for key, v in attributes.items()]
    binary = CODEC.decode(topic_of(name), orjson.dumps(data), headers)
    assert isinstance(structured, Decoded)
    assert isinstance(binary, Decoded)
    assert orjson.loads(structured.value) == orjson.loads(binary.value)
    assert structured.identifiers == binary.identifiers


@pytest.mark.parametrize("name", TYPES)
def test_optional_fields_may_be_null(name: str) -> None:
    event = decode(name, {**full(name), **dict.fromkeys(OPTIONAL[name])})
    assert isinstance(event, Decoded), event


@pytest.mark.parametrize("name", TYPES)
def test_every_field_of_the_minimal_example_is_required(name: str) -> None:
    for field in minimal(name):
        absent = decode(name, {key: value for key, value in full(name).items() if key != field})
        null = decode(name, {**full(name), field: None})
        assert isinstance(absent, Refusal)
        assert isinstance(null, Refusal)
        assert Reason.INVALID_DATA == absent.reason == null.reason
        assert absent.message.startswith(f"data.{field} is missing; expected ")
        assert null.message.startswith(f"data.{field} is null; expected ")


@pytest.mark.parametrize("name", TYPES)
def test_a_mistyped_field_is_refused_wherever_it_stands(name: str) -> None:
    for field, good in full(name).items():
        wrong: Any = {"not": "this"} if isinstance(good, str | list) else str(good)
        refused = decode(name, {**full(name), field: wrong})
        assert isinstance(refused, Refusal), (field, wrong)
        assert Reason.INVALID_DATA == refused.reason
        assert refused.message.startswith(f"data.{field} is ")


@pytest.mark.parametrize("name", TYPES)
def test_what_a_department_adds_is_kept(name: str) -> None:
    data = {**full(name), "ourOwn": {"deep": [1, None, "x"]}, "model_dump": 1}
    event = decode(name, data)
    assert isinstance(event, Decoded)
    assert data == orjson.loads(event.value)["data"]


# (type, field, value, what the sentence says it found, what it says was expected)
WORDS = "a string of 1 to 256 bytes as JSON"
IDS = f"{WORDS} with a visible character"
MONEY = 'a decimal number written as a string, such as "129.90"'
INSTANT = 'an RFC 3339 time with offset of at most 64 characters, such as "2026-03-02T09:00:00Z"'
DATE = 'a date as a string, such as "2026-03-31"'
CURRENCY = 'an ISO 4217 currency code, such as "EUR"'
LONG = 'a string of {} characters that begins with "{}"'
REFUSED: list[tuple[str, str, Any, str, str]] = [
    ("sales.opportunity.created.v1", "stage", "", 'the string ""', WORDS),
    ("sales.opportunity.created.v1", "opportunityId", 7, "the number 7", IDS),
    ("sales.opportunity.created.v1", "closeDate", "2026-02-29", 'the string "2026-02-29"', DATE),
    ("sales.opportunity.created.v1", "closeDate", "2026-06-30T00:00:00Z", 'the string "2026-06-30T00:00:00Z"', DATE),
    ("sales.opportunity.stage_changed.v1", "amount", 11500, "the number 11500", MONEY),
    ("sales.meeting.scheduled.v1", "startTime", "2026-03-09T14:00:00", 'the string "2026-03-09T14:00:00"', INSTANT),
    ("sales.meeting.scheduled.v1", "startTime", "2026-03-09T14:00:60Z", 'the string "2026-03-09T14:00:60Z"', INSTANT),
    ("sales.meeting.cancelled.v1", "meetingId", "x" * 257, LONG.format(257, "x" * 60), IDS),
    ("sales.call.completed.v1", "direction", "out", 'the string "out"', 'one of "inbound", "outbound"'),
    (
        "sales.call.completed.v1",
        "outcome",
        "Answered",
        'the string "Answered"',
        'one of "answered", "voicemail", "no_answer", "busy", "wrong_number"',
    ),
    (
        "sales.call.completed.v1",
        "durationSeconds",
        "PT5M",
        'the string "PT5M"',
        "a number of seconds from 0 to 1000000000",
    ),
    ("sales.call.completed.v1", "durationSeconds", -0.1, "the number -0.1", "a number of seconds from 0 to 1000000000"),
    ("sales.call.completed.v1", "durationSeconds", True, "true", "a number of seconds from 0 to 1000000000"),
    ("sales.brief.viewed.v1", "viewerId", [], "an array", IDS),
    ("sales.order.completed.v1", "total", 129.9, "the number 129.9", MONEY),
    ("sales.order.completed.v1", "total", "129,90", 'the string "129,90"', MONEY),
    ("sales.order.completed.v1", "total", "1e3", 'the string "1e3"', MONEY),
    ("sales.order.completed.v1", "total", "1.0\n", 'the string "1.0\\u000a"', MONEY),
    ("sales.order.completed.v1", "total", "NaN", 'the string "NaN"', MONEY),
    ("sales.order.completed.v1", "total", "٣", 'the string "٣"', MONEY),
    ("sales.order.completed.v1", "currency", "eur", 'the string "eur"', CURRENCY),
    ("sales.order.completed.v1", "currency", "EURO", 'the string "EURO"', CURRENCY),
    ("sales.order.completed.v1", "currency", "XXX", 'the string "XXX"', CURRENCY),
    ("sales.order.completed.v1", "items", {"sku": 1}, "an object", "an array of objects"),
    ("service.case.opened.v1", "priority", 1, "the number 1", WORDS),
    ("service.case.opened.v1", "slaDueTime", "tomorrow", 'the string "tomorrow"', INSTANT),
    ("service.case.escalated.v1", "level", "2", 'the string "2"', "a whole number from 0 to 9007199254740991"),
    ("service.case.escalated.v1", "level", 1.5, "the number 1.5", "a whole number from 0 to 9007199254740991"),
    ("service.case.escalated.v1", "level", False, "false", "a whole number from 0 to 9007199254740991"),
    ("service.case.resolved.v1", "resolution", 5, "the number 5", "a string"),
    ("service.feedback.submitted.v1", "metric", "stars", 'the string "stars"', 'one of "csat", "nps", "ces"'),
    (
        "service.feedback.submitted.v1",
        "value",
        10.5,
        "the number 10.5",
        "a number from 0 to 10, because the metric is nps",
    ),
    ("service.feedback.submitted.v1", "value", "5", 'the string "5"', "a number on the metric's scale"),
    ("service.conversation.ended.v1", "direction", "both", 'the string "both"', 'one of "inbound", "outbound"'),
    (
        "marketing.campaign.sent.v1",
        "purpose",
        "Promotion",
        'the string "Promotion"',
        'one of "promotion", "survey", "service"',
    ),
    ("marketing.email.opened.v1", "messageId", "", 'the string ""', IDS),
    ("marketing.email.clicked.v1", "machine", "true", 'the string "true"', "true or false"),
    ("marketing.email.clicked.v1", "url", "", 'the string ""', "a string of 1 to 8192 bytes as JSON"),
    ("marketing.email.unsubscribed.v1", "listId", 3, "the number 3", IDS),
    ("marketing.email.marked_as_spam.v1", "campaignId", 3, "the number 3", IDS),
    ("marketing.consent.changed.v1", "status", "given", 'the string "given"', 'one of "granted", "revoked"'),
    ("finance.invoice.issued.v1", "dueDate", "31.03.2026", 'the string "31.03.2026"', DATE),
    ("finance.invoice.overdue.v1", "daysOverdue", -1, "the number -1", "a whole number from 0 to 9007199254740991"),
    ("finance.invoice.voided.v1", "invoiceId", "", 'the string ""', IDS),
    ("finance.invoice.written_off.v1", "reason", 5, "the number 5", "a string"),
    ("finance.payment.received.v1", "total", "1.0000001", 'the string "1.0000001"', MONEY),
    ("finance.payment.disputed.v1", "paymentId", None, "null", IDS),
    ("finance.refund.issued.v1", "total", 9.5, "the number 9.5", MONEY),
    ("finance.payment.declined.v1", "invoiceId", 9, "the number 9", IDS),
    ("finance.dunning.sent.v1", "level", "first", 'the string "first"', "a whole number from 0 to 9007199254740991"),
    ("finance.credit.issued.v1", "creditId", True, "true", IDS),
    ("web.page.viewed.v1", "url", "/" * 8193, LONG.format(8193, "/" * 60), "a string of 1 to 8192 bytes as JSON"),
    ("web.search.performed.v1", "results", [1], "an array", "a whole number from 0 to 9007199254740991"),
    ("web.content.downloaded.v1", "contentId", {}, "an object", IDS),
    ("web.cart.abandoned.v1", "currency", "", 'the string ""', CURRENCY),
    ("social.mention.posted.v1", "sentiment", 1.01, "the number 1.01", "a number from -1 to 1"),
    ("social.mention.posted.v1", "sentiment", "good", 'the string "good"', "a number from -1 to 1"),
    ("social.review.posted.v1", "rating", 0.9, "the number 0.9", "a number from 1 to 5"),
    ("social.review.posted.v1", "rating", 6, "the number 6", "a number from 1 to 5"),
    ("bus.alert.acknowledged.v1", "by", 4, "the number 4", IDS),
    ("bus.alert.actioned.v1", "outcome", "good", 'the string "good"', 'one of "helped", "no_effect", "wrong"'),
]


def test_every_type_has_a_refused_example() -> None:
    assert set(TYPES) == {name for name, *_ in REFUSED}


@pytest.mark.parametrize(("name", "field", "value", "found", "expected"), REFUSED)
def test_the_sentence_names_field_finding_and_expectation(
    name: str, field: str, value: Any, found: str, expected: str
) -> None:
    refused = decode(name, {**full(name), field: value})
    assert Refusal(Reason.INVALID_DATA, f"data.{field} is {found}; expected {expected}.") == refused


BELOW_ZERO = [
    ("sales.order.completed.v1", "total", ["finance.credit.issued.v1"]),
    ("sales.opportunity.created.v1", "amount", []),
    ("web.cart.abandoned.v1", "total", []),
    ("finance.invoice.issued.v1", "total", ["finance.credit.issued.v1"]),
    ("finance.invoice.overdue.v1", "total", ["finance.credit.issued.v1"]),
    ("finance.payment.received.v1", "total", ["finance.refund.issued.v1", "finance.payment.disputed.v1"]),
    ("finance.payment.disputed.v1", "total", ["finance.payment.received.v1"]),
    ("finance.credit.issued.v1", "total", ["finance.invoice.issued.v1"]),
    ("finance.refund.issued.v1", "total", ["finance.payment.received.v1"]),
]


@pytest.mark.parametrize(("name", "field", "instead"), BELOW_ZERO)
def test_a_negative_amount_is_refused_with_the_types_that_say_what_it_means(
    name: str, field: str, instead: list[str]
) -> None:
    refused = decode(name, {**full(name), field: "-9.50"})
    assert isinstance(refused, Refusal)
    assert refused.message.startswith(f'data.{field} is the string "-9.50"; expected an amount without a sign')
    assert instead == re.findall(r"finance\.\w+\.\w+\.v1", refused.message)
    assert set(instead) <= set(TYPES)
    assert isinstance(decode(name, {**full(name), field: "0.00"}), Decoded)


@pytest.mark.parametrize(("metric", "low", "high"), [("csat", 1, 5), ("nps", 0, 10), ("ces", 1, 7)])
def test_each_metric_has_its_own_scale(metric: str, low: int, high: int) -> None:
    def answer(value: float) -> str:
        return type(
            decode("service.feedback.submitted.v1", {**minimal_feedback, "metric": metric, "value": value})
        ).__name__

    minimal_feedback = minimal("service.feedback.submitted.v1")
    assert ["Refusal", "Decoded", "Decoded", "Decoded", "Refusal"] == [
        answer(value) for value in (low - 0.1, low, (low + high) / 2, high, high + 0.1)
    ]


def test_a_wrong_metric_and_value_are_both_counted() -> None:
    refused = decode(
        "service.feedback.submitted.v1", {**minimal("service.feedback.submitted.v1"), "metric": 1, "value": "x"}
    )
    expected = 'data.metric is the number 1; expected one of "csat", "nps", "ces" (1 more wrong).'
    assert Refusal(Reason.INVALID_DATA, expected) == refused


CUSTOMERS: list[tuple[Any, str]] = [
    ("Ada", 'data.customer is a string; expected an object with an array "identifiers".'),
    ({}, 'data.customer.identifiers is missing; expected an array of 1 to 100 objects with "type" and "value".'),
    (
        {"identifiers": {"type": "email", "value": "ada@example.com"}},
        'data.customer.identifiers is an object; expected an array of 1 to 100 objects with "type" and "value".',
    ),
    ({"identifiers": ["ada@example.com"]}, "data.customer.identifiers[0] is a string; expected an object."),
    (
        {"identifiers": [{"type": "email", "value": "a@example.com"}, {"type": "customer_no", "value": 1042}]},
        "data.customer.identifiers[1].value is a number; expected a string of at most 512 bytes as JSON.",
    ),
    (
        {"identifiers": [{"type": "", "value": "a@example.com"}]},
        "data.customer.identifiers[0].type is a string; expected a string of 1 to 64 bytes as JSON.",
    ),
    (
        {"identifiers": [{"value": "a@example.com"}]},
        "data.customer.identifiers[0].type is missing; expected a string of 1 to 64 bytes as JSON.",
    ),
    (
        {"identifiers": [{"type": "device", "value": str(number)} for number in range(101)]},
        'data.customer.identifiers is an array; expected an array of 1 to 100 objects with "type" and "value".',
    ),
    (
        {"identifiers": [{"type": "email", "value": "a@example.com"}], "name": 5},
        "data.customer.name is a number; expected a string of 1 to 256 bytes as JSON.",
    ),
]


@pytest.mark.parametrize(("customer", "sentence"), CUSTOMERS)
def test_a_wrong_customer_is_refused_without_telling_who_it_was(customer: Any, sentence: str) -> None:
    refused = decode("service.case.resolved.v1", {"customer": customer, "caseId": "K1"})
    assert Refusal(Reason.INVALID_DATA, sentence) == refused


def test_an_empty_list_of_identifiers_has_its_own_reason() -> None:
    refused = decode("service.case.resolved.v1", {"customer": {"identifiers": []}, "caseId": "K1"})
    sentence = "data.customer.identifiers is empty; expected at least one identifier."
    assert Refusal(Reason.NO_IDENTIFIER, sentence) == refused


def test_identifiers_come_out_as_sent() -> None:
    event = decode("service.case.resolved.v1", full("service.case.resolved.v1"))
    assert isinstance(event, Decoded)
    assert (("customer_no", "C-1042"), ("email", "Ada@Example.com")) == event.identifiers


def test_answers_to_the_bus_have_no_identifiers() -> None:
    event = decode("bus.alert.acknowledged.v1", full("bus.alert.acknowledged.v1"))
    assert isinstance(event, Decoded)
    assert () == event.identifiers
