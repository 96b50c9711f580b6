"""The CloudEvents envelope: both content modes and everything that can be wrong with attributes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from schemas.codec import Codec, Decoded
from schemas.refusal import Reason, Refusal
from schemas.registry import Registry

CODEC = Codec(Registry.discover())
DATA: dict[str, Any] = {"customer": {"identifiers": [{"type": "email", "value": "ada@example.com"}]}, "caseId": "K1"}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/desk",
    "type": "service.case.resolved.v1",
    "time": "2026-03-02T09:00:00Z",
    "data": DATA,
}
VALUE = orjson.dumps(EVENT)
BINARY = [(f"ce_{name}", value.encode()) for name, value in EVENT.items() if name != "data"]
STRUCTURED = ("content-type", b"application/cloudevents+json")
NAME = "a string of 1 to 512 bytes as JSON without control characters"
TIME = 'an RFC 3339 time with offset, 1970 or later, such as "2026-03-02T09:00:00Z"'


def decode(value: bytes | None, headers: list[tuple[str, bytes | None]] | None) -> Decoded | Refusal:
    return CODEC.decode("service", value, headers)


def refused(**attributes: Any) -> str:
    result = decode(orjson.dumps({**EVENT, **attributes}), [STRUCTURED])
    assert isinstance(result, Refusal), result
    assert Reason.NOT_CLOUDEVENTS == result.reason
    return result.message


@pytest.mark.parametrize(
    "headers",
    [
        [STRUCTURED],
        [("Content-Type", b"Application/CloudEvents+JSON")],
        [("content-type", b"application/cloudevents+json; charset=UTF-8")],
        [("content-type", b"application/cloudevents+json ;x=y"), ("other", None), ("traceparent", b"\xff")],
        [STRUCTURED, ("ce_id", b"another"), ("ce_type", b"another")],
        [STRUCTURED, ("ce_traceparent", b"\xff"), ("ce_id", b"1"), ("ce_id", b"2"), ("ce_specversion", b"1.0")],
    ],
)
def test_a_structured_event_keeps_its_very_bytes(headers: list[tuple[str, bytes | None]]) -> None:
    pretty = orjson.dumps(EVENT, option=orjson.OPT_INDENT_2) + b"\n"
    event = decode(pretty, headers)
    assert isinstance(event, Decoded), event
    assert ("service.case.resolved.v1", "/desk", "1", 1_772_442_000_000_000) == (
        event.type,
        event.source,
        event.id,
        event.time,
    )
    assert pretty == event.value
    assert DATA == orjson.loads(event.value)["data"]


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        [("content-type", b"application/json")],
        [("x", b"y")],
        [("ce_id", None)],
        [("ce_traceparent", b"00-1-2-00"), ("ce-type", b"x")],
        [("content-type", b"application/json"), ("ce_recordedtime", b"yesterday")],
    ],
)
def test_without_the_header_of_a_binary_event_an_event_is_read_as_structured(
    headers: list[tuple[str, bytes | None]] | None,
) -> None:
    event = decode(VALUE, headers)
    assert isinstance(event, Decoded), event
    assert VALUE == event.value


@pytest.mark.parametrize(
    ("content_type", "kept"),
    [
        ([], {}),
        ([("content-type", b"application/json")], {"datacontenttype": "application/json"}),
        (
            [("CONTENT-TYPE", b"application/vnd.desk+json; charset=utf-8")],
            {"datacontenttype": "application/vnd.desk+json; charset=utf-8"},
        ),
        ([("content-type", b"application/octet-stream")], {}),
        ([("content-type", None)], {}),
    ],
)
def test_a_binary_event_becomes_structured_with_its_data_untouched(
    content_type: list[tuple[str, bytes | None]], kept: dict[str, str]
) -> None:
    data = orjson.dumps(DATA, option=orjson.OPT_INDENT_2)
    event = decode(data, [*BINARY, ("CE_Subject", "Ädä".encode()), ("ce_tenant", b"7"), *content_type])
    assert isinstance(event, Decoded), event
    assert {**EVENT, "subject": "Ädä", "tenant": "7", **kept} == orjson.loads(event.value)
    assert data in event.value
    assert DATA == orjson.loads(event.value)["data"]


def test_data_can_not_be_smuggled_in_by_a_header() -> None:
    event = decode(orjson.dumps(DATA), [*BINARY, ("ce_data", b"{}"), ("ce_data_base64", b"e30=")])
    assert isinstance(event, Decoded), event
    assert EVENT == orjson.loads(event.value)


def test_a_header_given_twice_must_say_the_same() -> None:
    assert isinstance(decode(orjson.dumps(DATA), [*BINARY, *BINARY]), Decoded)
    expected = Refusal(Reason.NOT_CLOUDEVENTS, 'the header the string "ce_id" is given twice with different values.')
    assert expected == decode(orjson.dumps(DATA), [*BINARY, ("ce_id", b"2")])


def test_a_header_that_is_not_utf_8_is_refused() -> None:
    expected = Refusal(Reason.NOT_CLOUDEVENTS, 'the header the string "ce_subject" is not UTF-8.')
    assert expected == decode(orjson.dumps(DATA), [*BINARY, ("ce_subject", b"\xff")])


@pytest.mark.parametrize(
    "content_type", ["application/cloudevents", "application/cloudevents-batch+json", "application/cloudevents+avro"]
)
def test_other_formats_of_cloudevents_are_refused(content_type: str) -> None:
    expected = (
        f'the header content-type is the string "{content_type}"; '
        'expected "application/cloudevents+json" and one event in each record.'
    )
    assert Refusal(Reason.NOT_CLOUDEVENTS, expected) == decode(VALUE, [("content-type", content_type.encode())])


@pytest.mark.parametrize("name", ["id", "source", "type", "time"])
def test_a_missing_attribute_is_named(name: str) -> None:
    value = orjson.dumps({key: found for key, found in EVENT.items() if key != name})
    expected = Refusal(Reason.NOT_CLOUDEVENTS, f'the attribute "{name}" is missing.')
    assert expected == decode(value, [STRUCTURED])
    assert expected == decode(orjson.dumps(DATA), [header for header in BINARY if header[0] != f"ce_{name}"])


def test_plain_json_is_told_where_the_envelope_belongs() -> None:
    expected = 'the attribute "specversion" is missing (in the value, or as a header ce_specversion).'
    assert Refusal(Reason.NOT_CLOUDEVENTS, expected) == decode(orjson.dumps(DATA), None)


@pytest.mark.parametrize("name", ["id", "source", "type"])
@pytest.mark.parametrize(
    ("value", "found"),
    [
        (5, "the number 5"),
        (None, "null"),
        (["x"], "an array"),
        ({}, "an object"),
        (True, "true"),
        ("a\nb", 'the string "a\\u000ab"'),
        ("\x00", 'the string "\\u0000"'),
        ("\x9f", 'the string "\\u009f"'),
        ("x" * 513, 'a string of 513 characters that begins with "' + "x" * 60 + '"'),
    ],
)
def test_a_name_that_names_nothing_is_refused(name: str, value: object, found: str) -> None:
    result = decode(orjson.dumps({**EVENT, name: value}), [STRUCTURED])
    assert isinstance(result, Refusal)
    if name == "type" and value == "\x9f":
        assert Reason.UNKNOWN_TYPE == result.reason  # looked up, not judged
    elif name == "type" and isinstance(value, str) and len(value) < 513:
        assert Reason.UNKNOWN_TYPE == result.reason
    else:
        assert Refusal(Reason.NOT_CLOUDEVENTS, f'the attribute "{name}" is {found}; expected {NAME}.') == result


@pytest.mark.parametrize("name", ["id", "source"])
def test_an_empty_id_or_source_is_refused(name: str) -> None:
    assert f'the attribute "{name}" is the string ""; expected {NAME}.' == refused(**{name: ""})


@pytest.mark.parametrize("name", ["id", "source"])
@pytest.mark.parametrize(
    "text", [" ", "\u200b", "\u00a0\u2003", "\ufeff", "\u2060 \u200d", "\u0301", "\u3164", "\u2800"]
)
def test_an_id_or_source_that_nobody_can_see_is_refused(name: str, text: str) -> None:
    assert refused(**{name: text}).startswith(f'the attribute "{name}" is the string "')
    assert refused(**{name: text}).endswith("; expected a string with a visible character.")


@pytest.mark.parametrize("text", [" ", "\u200b", "\u3164"])
def test_a_matter_whose_id_nobody_can_see_is_refused(text: str) -> None:
    said = decode(orjson.dumps({**EVENT, "data": {**DATA, "caseId": text}}), [STRUCTURED])
    assert isinstance(said, Refusal)
    assert Reason.INVALID_DATA == said.reason
    assert said.message.startswith('data.caseId is the string "')
    assert said.message.endswith(" with a visible character.")


def test_headers_that_are_spelt_as_for_http_are_told() -> None:
    headers = [(name.replace("ce_", "ce-"), text) for name, text in BINARY]
    said = decode(orjson.dumps(DATA), [*headers, ("content-type", b"application/json")])
    assert isinstance(said, Refusal)
    assert said.message.startswith('the attribute "specversion" is missing ')
    first = headers[0][0]
    hint = f'The header "{first}" is spelt as for HTTP; on Kafka it is "{first.replace("-", "_")}": ce_, not ce-.'
    assert said.message.endswith(hint)


@pytest.mark.parametrize("text", ["ID 5", "ÄÖ", "标识", "🧾", "a\u00a0b", "\u202eabc", "x" * 512])
def test_ids_of_any_script_are_taken(text: str) -> None:
    event = decode(orjson.dumps({**EVENT, "id": text}), [STRUCTURED])
    assert isinstance(event, Decoded), event
    assert text == event.id


@pytest.mark.parametrize(
    ("version", "found"),
    [("0.3", 'the string "0.3"'), (1.0, "the number 1.0"), (None, "null"), ("1", 'the string "1"')],
)
def test_only_version_1_is_understood(version: object, found: str) -> None:
    assert f'the attribute "specversion" is {found}; expected "1.0".' == refused(specversion=version)


@pytest.mark.parametrize(
    ("time", "found"),
    [
        ("2026-03-02T09:00:00", 'the string "2026-03-02T09:00:00"'),
        ("2026-12-31T23:59:60Z", 'the string "2026-12-31T23:59:60Z"'),
        ("1969-12-31T23:59:59Z", 'the string "1969-12-31T23:59:59Z"'),
        (1772442000, "the number 1772442000"),
        (None, "null"),
        ({}, "an object"),
        ("", 'the string ""'),
    ],
)
def test_a_time_without_meaning_is_refused(time: object, found: str) -> None:
    assert f'the attribute "time" is {found}; expected {TIME}.' == refused(time=time)


@pytest.mark.parametrize(
    "name",
    ["subject", "dataschema", "datacontenttype", "partitionkey", "correlationid", "causationid", "traceparent"],
)
def test_a_known_optional_attribute_is_a_string_or_null(name: str) -> None:
    assert f'the attribute "{name}" is the number 5; expected a string.' == refused(**{name: 5})
    assert isinstance(decode(orjson.dumps({**EVENT, name: None}), [STRUCTURED]), Decoded)
    assert isinstance(decode(orjson.dumps({**EVENT, name: "x"}), [STRUCTURED]), Decoded)


def test_a_recorded_time_is_a_time() -> None:
    assert f'the attribute "recordedtime" is the string "now"; expected {TIME}.' == refused(recordedtime="now")
    good = decode(orjson.dumps({**EVENT, "recordedtime": "2026-03-02T09:00:01Z"}), [STRUCTURED])
    assert isinstance(good, Decoded)


def test_other_extensions_are_kept_and_not_judged() -> None:
    value = orjson.dumps({**EVENT, "tenant": {"our": ["own"]}, "CamelCase": 5})
    event = decode(value, [STRUCTURED])
    assert isinstance(event, Decoded)
    assert value == event.value
