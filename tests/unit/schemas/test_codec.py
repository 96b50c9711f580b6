"""Decoding: whatever comes, an event or a reason, never an exception."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import MAX_BYTES, Codec, Decoded
from schemas.refusal import Reason, Refusal
from schemas.registry import Registry

CODEC = Codec(Registry.discover())
STRUCTURED = [("content-type", b"application/cloudevents+json")]
CUSTOMER = {"identifiers": [{"type": "email", "value": "ada@example.com"}]}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/desk",
    "type": "service.case.resolved.v1",
    "time": "2026-03-02T09:00:00Z",
    "data": {"customer": CUSTOMER, "caseId": "K1"},
}
BINARY = [(f"ce_{name}", value.encode()) for name, value in EVENT.items() if name != "data"]


def decode(value: bytes | None, topic: str = "service") -> Decoded | Refusal:
    return CODEC.decode(topic, value, STRUCTURED)


def with_data(**fields: Any) -> bytes:
    return orjson.dumps({**EVENT, "data": {**EVENT["data"], **fields}})


@pytest.mark.parametrize("value", [None, b""])
def test_a_record_without_value_is_not_json(value: bytes | None) -> None:
    assert Refusal(Reason.NOT_JSON, "the record has no value; expected a JSON object.") == decode(value)


@pytest.mark.parametrize(
    "value",
    [
        b"{",
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"id": NaN}',
        b'{"id": 1e999}',
        b'{"id": "\\ud800"}',
        b'{"\\udc00": 1}',
        b'{"id": "\xed\xa0\x80"}',
        b'{"id": "a\x00b"}',
        b"[" * 100_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b"9" * 100_000,
        b"{} {}",
    ],
)
def test_what_is_not_json_is_said_to_be_none(value: bytes) -> None:
    refused = decode(value)
    assert isinstance(refused, Refusal)
    assert Reason.NOT_JSON == refused.reason
    assert refused.message.startswith("the value is not JSON: ")


@pytest.mark.parametrize(
    ("value", "found"),
    [(b"[]", "an array"), (b'"x"', "a string"), (b"5", "a number"), (b"true", "a boolean"), (b"null", "null")],
)
def test_json_that_is_no_object_is_no_cloudevent(value: bytes, found: str) -> None:
    assert Refusal(Reason.NOT_CLOUDEVENTS, f"the value is {found}; expected a CloudEvent, an object.") == decode(value)


@pytest.mark.parametrize(
    ("data", "found"), [(None, "null"), ([], "an array"), ("{}", "a string"), (1, "a number"), (False, "a boolean")]
)
def test_data_that_is_no_object_is_refused_in_both_modes(data: object, found: str) -> None:
    expected = Refusal(Reason.INVALID_DATA, f"data is {found}; expected an object.")
    assert expected == decode(orjson.dumps({**EVENT, "data": data}))
    assert expected == CODEC.decode("service", orjson.dumps(data), BINARY)


def test_missing_and_base64_data_are_told_apart() -> None:
    bare = {name: value for name, value in EVENT.items() if name != "data"}
    assert Refusal(Reason.INVALID_DATA, "data is missing; expected an object.") == decode(orjson.dumps(bare))
    expected = 'the event has "data_base64"; expected its data as a JSON object in "data".'
    assert Refusal(Reason.INVALID_DATA, expected) == decode(orjson.dumps({**bare, "data_base64": "e30="}))


def test_an_event_of_256_kib_is_taken_and_one_byte_more_is_not() -> None:
    padding = MAX_BYTES - len(with_data(resolution=""))
    largest = with_data(resolution="x" * padding)
    assert isinstance(decode(largest), Decoded)
    expected = f"the event has {MAX_BYTES + 1} bytes; expected at most {MAX_BYTES}."
    assert Refusal(Reason.TOO_LARGE, expected) == decode(largest + b" ")
    assert Reason.TOO_LARGE == getattr(decode(b"x" * 10_000_000), "reason", None)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("x" * 256, True),
        ("é" * 128, True),
        ("é" * 129, False),
        ('"' * 129, False),
        ("\x01" * 43, False),
        ("😀" * 65, False),
    ],
)
def test_a_field_is_bounded_in_bytes_as_json_and_not_only_in_characters(text: str, fits: bool) -> None:
    data = {**EVENT["data"], "caseId": text}
    for judged in (decode(with_data(caseId=text)), CODEC.decode("service", orjson.dumps(data), BINARY)):
        assert isinstance(judged, Decoded) == fits
        if isinstance(judged, Refusal):
            assert Reason.INVALID_DATA == judged.reason
            assert judged.message.startswith("data.caseId is ")
            assert judged.message.endswith("; expected a string of 1 to 256 bytes as JSON with a visible character.")


def test_an_identifier_is_bounded_in_bytes_and_not_shown() -> None:
    known = {"identifiers": [{"type": "login", "value": "é" * 257}]}
    expected = "data.customer.identifiers[0].value is a string; expected a string of at most 512 bytes as JSON."
    assert Refusal(Reason.INVALID_DATA, expected) == decode(with_data(customer=known))


@pytest.mark.parametrize("name", ["id", "source"])
def test_id_and_source_are_bounded_in_bytes(name: str) -> None:
    assert isinstance(decode(orjson.dumps({**EVENT, name: "é" * 256})), Decoded)
    refused = decode(orjson.dumps({**EVENT, name: "é" * 257}))
    assert isinstance(refused, Refusal)
    assert refused.message.endswith("expected a string of 1 to 512 bytes as JSON without control characters.")


@pytest.mark.parametrize("kept", ["é" * 2, "x" * 2])
def test_a_number_of_things_is_bounded(kept: str) -> None:
    event = {**EVENT, "type": "service.case.escalated.v1"}
    most = decode(orjson.dumps({**event, "data": {**EVENT["data"], "kept": kept, "level": 2**53 - 1}}))
    assert isinstance(most, Decoded)
    more = decode(orjson.dumps({**event, "data": {**EVENT["data"], "kept": kept, "level": 2**53}}))
    assert isinstance(more, Refusal)
    assert more.message.endswith("expected a whole number from 0 to 9007199254740991.")


def test_no_number_of_digits_makes_an_instant_long() -> None:
    time = "2026-03-02T09:00:00.{}Z"
    assert isinstance(decode(orjson.dumps({**EVENT, "time": time.format("0" * 43)})), Decoded)
    assert Reason.NOT_CLOUDEVENTS == getattr(
        decode(orjson.dumps({**EVENT, "time": time.format("0" * 44)})), "reason", 0
    )


def test_headers_count_for_the_size_of_a_binary_event() -> None:
    data = orjson.dumps(EVENT["data"])
    headers = [*BINARY, ("ce_subject", b"x" * MAX_BYTES)]
    assert Reason.TOO_LARGE == getattr(CODEC.decode("service", data, headers), "reason", None)


def test_an_unknown_type_gets_a_hint() -> None:
    near = 'which no department has described; did you mean "service.case.resolved.v1"?'
    far = "which no department has described; expected <department>.<entity>.<verb>.v<major>."
    for name, hint in (("service.case.resolved", near), ("service.case.resolved.v2", near), ("hello", far), ("", far)):
        expected = Refusal(Reason.UNKNOWN_TYPE, f'the attribute "type" is the string "{name}", {hint}')
        assert expected == decode(orjson.dumps({**EVENT, "type": name}))


def test_a_type_on_another_departments_topic_is_refused() -> None:
    expected = (
        'an event of type "service.case.resolved.v1" came on cx.sales.events.v1; '
        'expected the topic of the department "service".'
    )
    assert Refusal(Reason.WRONG_TOPIC, expected) == decode(orjson.dumps(EVENT), topic="sales")


def test_an_answer_is_taken_on_the_topic_of_the_department_that_it_names() -> None:
    data = {"alertId": "a_1", "customerId": "c1", "department": "finance", "by": "clerk"}
    value = orjson.dumps({**EVENT, "type": "bus.alert.acknowledged.v1", "data": data})
    assert isinstance(decode(value, topic="finance"), Decoded)
    expected = (
        'an event of type "bus.alert.acknowledged.v1" came on cx.service.events.v1; '
        'expected the topic of the department "finance".'
    )
    assert Refusal(Reason.WRONG_TOPIC, expected) == decode(value, topic="service")


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return value


def test_nesting_is_taken_up_to_64_levels() -> None:
    assert isinstance(decode(with_data(extra=nested(62))), Decoded)
    expected = Refusal(Reason.INVALID_DATA, "the event is nested more than 64 levels deep; expected fewer.")
    assert expected == decode(with_data(extra=nested(63)))
    assert expected == decode(with_data(extra=nested(240)))
    assert expected == CODEC.decode("service", orjson.dumps({**EVENT["data"], "extra": nested(63)}), BINARY)


def test_deep_extension_attributes_are_refused_too() -> None:
    value = orjson.dumps(EVENT)[:-1] + b',"ext":' + b"[" * 1000 + b'"\\u0000"' + b"]" * 1000 + b"}"
    assert Refusal(Reason.INVALID_DATA, "the event is nested more than 64 levels deep; expected fewer.") == decode(
        value
    )


def test_what_another_value_hides_is_refused_too_when_it_is_deep() -> None:
    for depth, kept in ((63, True), (64, False), (1000, False)):
        hidden = b'{"\\"":' + b"[" * (depth - 1) + b'"]\\\\"' + b"]" * (depth - 1) + b"}"
        value = b'{"ext":' + hidden + b',"ext":"[",' + orjson.dumps(EVENT)[1:]
        assert kept == isinstance(decode(value), Decoded)


def test_brackets_in_a_text_are_no_levels() -> None:
    assert isinstance(decode(with_data(extra=['"[{\\' * 100])), Decoded)


def test_a_wide_event_is_not_a_deep_one() -> None:
    assert isinstance(decode(with_data(extra=[{"n": [number]} for number in range(5_000)])), Decoded)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"resolution": "a\0b"}, "data.resolution"),
        ({"extra": [{"x": ["y", "\0"]}]}, "data.extra[0].x[1]"),
        ({"a\0": 1}, "data.a\\u0000"),
        ({"customer": {"identifiers": [{"type": "email", "value": "\0"}]}}, "data.customer.identifiers[0].value"),
    ],
)
def test_nul_characters_are_refused_where_they_stand(fields: dict[str, Any], place: str) -> None:
    expected = f"{place} holds a NUL character; expected text without it."
    assert Refusal(Reason.INVALID_DATA, expected) == decode(with_data(**fields))


def test_a_nul_in_a_header_is_refused_and_a_backslash_is_not() -> None:
    data = orjson.dumps(EVENT["data"])
    refused = CODEC.decode("service", data, [*BINARY, ("ce_subject", b"\0")])
    assert Refusal(Reason.INVALID_DATA, "subject holds a NUL character; expected text without it.") == refused
    assert isinstance(decode(with_data(resolution="\\u0000 \\")), Decoded)


def test_of_a_key_given_twice_the_last_counts() -> None:
    value = orjson.dumps(EVENT).replace(b'"caseId":"K1"', b'"caseId":5,"caseId":"K2"')
    event = decode(value)
    assert isinstance(event, Decoded)
    assert "K2" == orjson.loads(event.value)["data"]["caseId"]
    assert value == event.value


def test_publishers_encode_what_decodes() -> None:
    data = {"customer": CUSTOMER, "caseId": "K1"}
    value = Codec.encode_structured(
        type="service.case.resolved.v1", source="/desk", id="9", time=1_772_442_000_000_001, data=data, subject="K1"
    )
    event = decode(value)
    assert isinstance(event, Decoded), event
    assert (
        Decoded(
            type="service.case.resolved.v1",
            source="/desk",
            id="9",
            time=1_772_442_000_000_001,
            value=value,
            identifiers=(("email", "ada@example.com"),),
        )
        == event
    )
    assert {
        "specversion": "1.0",
        "id": "9",
        "source": "/desk",
        "type": "service.case.resolved.v1",
        "time": "2026-03-02T09:00:00.000001Z",
        "subject": "K1",
        "datacontenttype": "application/json",
        "data": data,
    } == orjson.loads(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
HEADERS = st.none() | st.lists(
    st.tuples(
        st.sampled_from(["content-type", "ce_id", "ce_time", "ce_type", "ce_specversion", "ce_source", "ce_", "x"])
        | st.text(max_size=12),
        st.none()
        | st.binary(max_size=12)
        | st.sampled_from([b"1.0", b"application/cloudevents+json", b"web.page.viewed.v1", b"2026-03-02T09:00:00Z"]),
    ),
    max_size=8,
)
NAMES = sorted(Registry.discover().types)


def is_sound(result: Decoded | Refusal) -> bool:
    """An event that every later stage can write out again, or a reason with one printable sentence."""
    if isinstance(result, Refusal):
        return result.reason in Reason and result.message.isprintable() and result.message[-1] in ".?"
    wrapped = {"a": {"b": [{"event": orjson.loads(result.value)}]}}
    return bool(orjson.dumps(wrapped)) and "\0" not in str(wrapped) + str(result)


@given(st.none() | st.binary(max_size=300), HEADERS)
@settings(deadline=None)
def test_any_bytes_with_any_headers_give_an_event_or_a_reason(
    value: bytes | None, headers: list[tuple[str, bytes | None]] | None
) -> None:
    assert is_sound(CODEC.decode("web", value, headers))


@given(JSON, HEADERS)
@settings(deadline=None)
def test_any_json_gives_an_event_or_a_reason(value: object, headers: list[tuple[str, bytes | None]] | None) -> None:
    assert is_sound(CODEC.decode("web", orjson.dumps(value), headers))


@given(
    st.sampled_from(NAMES),
    st.dictionaries(st.sampled_from(sorted(EVENT)) | st.text(max_size=8), JSON, max_size=3),
    JSON,
)
@settings(deadline=None)
def test_any_envelope_gives_an_event_or_a_reason(name: str, attributes: dict[str, Any], data: object) -> None:
    value = orjson.dumps({**EVENT, "type": name, "data": data, **attributes})
    assert is_sound(decode(value, topic=name.partition(".")[0]))


@given(st.data(), st.sampled_from(NAMES))
@settings(deadline=None)
def test_any_fields_give_an_event_or_a_reason(draw: st.DataObject, name: str) -> None:
    fields = sorted(Registry.discover().types[name][1].data.model_fields)
    data = {
        **EVENT["data"],
        **draw.draw(st.dictionaries(st.sampled_from(fields) | st.text(max_size=8), JSON, max_size=6)),
    }
    assert is_sound(decode(orjson.dumps({**EVENT, "type": name, "data": data}), topic=name.partition(".")[0]))
