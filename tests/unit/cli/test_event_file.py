"""A file of events, in each of its forms, and where something is wrong in it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli import event_file
from cli.event_file import LONGEST, FileEvent
from cli.event_file import read as streamed

JSON = st.recursive(st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(), st.lists, max_leaves=5)


def read(content: bytes) -> list[FileEvent]:
    return list(streamed(io.BytesIO(content)))


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_nothing_is_no_event(content: bytes) -> None:
    assert [] == read(content)


def test_json_lines_keep_their_bytes_and_line_numbers() -> None:
    expected = [FileEvent("line 1", b'{"a": 1}', {"a": 1}), FileEvent("line 3", b'{"a":2.0}', {"a": 2.0})]
    assert expected == read(b'{"a": 1}\r\n\n{"a":2.0}\n')


def test_one_event_may_go_over_several_lines() -> None:
    assert [FileEvent("event 1", b'{\n "a": 1\n}', {"a": 1})] == read(b'{\n "a": 1\n}\n')


def test_several_events_may_go_over_several_lines_with_objects_that_stand_in_one() -> None:
    one = b'{\n  "a": [\n    {"b": 1},\n    {"b": 2}\n  ]\n}'
    expected = [("event 1", one), ("event 2", one), ("event 3", b'{"c": 2.0}')]
    assert expected == [(found.place, found.value) for found in read(one + b"\n" + one + b'\n{"c": 2.0}\n')]


def test_an_array_holds_events_and_each_keeps_its_bytes() -> None:
    found = read(b'  [{"a": 1.0},\n 7 ]\n')
    assert [("event 1", b'{"a": 1.0}'), ("event 2", b"7")] == [(one.place, one.value) for one in found]
    assert [] == read(b" [ ]")


def test_an_event_of_an_array_that_is_too_long_because_of_one_string_is_said_to_be_too_long() -> None:
    (found,) = read(b'[{"a": "' + b"x" * (3 * LONGEST) + b'"}]')
    assert ("event 1", "too-large") == (found.place, found.wrong.partition(":")[0])


def test_a_line_of_another_encoding_is_named() -> None:
    (found,) = read('{"a": "Jürgen"}\n'.encode("latin-1"))
    assert "not-json: byte 9 (0xfc) is not UTF-8; write the file as UTF-8." == found.wrong


@pytest.mark.parametrize(
    ("content", "place", "wrong"),
    [
        (b'[\n{"a": 1},\n{"a": 2}\n', "line 4", "not-json: the array does not end at column 1."),
        (b'[\n{"a": 1},\n', "line 3", "not-json: the array does not end at column 1."),
        (b"[", "line 1", "not-json: the array does not end at column 2."),
        (b'[{"a": 1}\n {"a": 2}]', "line 2", "not-json: expected , or ] at column 2."),
        (b'[{"a": 1}]\n[]', "line 2", "not-json: something follows the array at column 1."),
        (b'[\n {"a": 1},\n {"a": oops}\n]', "line 3", "not-json: Expecting value at column 8."),
        (b'{\n "a": 1,\n}', "line 3", "not-json: Expecting property name enclosed in double quotes at column 1."),
        (b"[" + b"[" * 100_000, "line 1", "not-json: it is nested too deeply at column 2."),
    ],
)
def test_what_breaks_a_document_is_told_with_its_line_and_column(content: bytes, place: str, wrong: str) -> None:
    *good, last = read(content)
    assert not any(one.wrong for one in good)
    assert (place, b"", wrong) == (last.place, last.value, last.wrong)


def test_a_broken_line_is_told_from_the_good_ones() -> None:
    first, second, third = read(b'{"a": 1}\n{"a": \n{"a": 3}')
    assert (None, "line 2") == (second.parsed, second.place)
    assert "column" in second.wrong
    assert ({"a": 1}, {"a": 3}) == (first.parsed, third.parsed)


def test_a_single_broken_line_is_line_one() -> None:
    (only,) = read(b"{oops")
    assert "line 1" == only.place
    assert only.wrong


def test_bytes_that_are_no_text_are_an_error_not_a_crash() -> None:
    assert ["line 1", "line 2"] == [one.place for one in read(b'{"a": 1}\n\xff\xfe\x00')]


@pytest.mark.parametrize("form", ["lines", "array", "pretty"])
@settings(max_examples=30, deadline=None)
@given(events=st.lists(st.dictionaries(st.text(), JSON, min_size=1), min_size=1, max_size=5), pad=st.integers(0, 40))
def test_events_are_the_same_in_every_form_wherever_they_are_cut(
    form: str, events: list[dict[str, Any]], pad: int
) -> None:
    """With chunks of a few bytes every event lies across the edge of one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_file, "CHUNK", 7)
        texts = [json.dumps(event, ensure_ascii=False, indent=1 if form == "pretty" else None) for event in events]
        content = f"[{','.join(texts)}]" if form == "array" else "\n".join(texts)
        found = read(b" " * pad + content.encode())
    assert [(text.encode(), event) for text, event in zip(texts, events, strict=True)] == [
        (one.value, one.parsed) for one in found
    ]


def test_a_line_that_is_too_long_costs_no_memory_and_no_other_line() -> None:
    first, second, third = read(b'{"a": 1}\n{"a": "' + b"x" * 3 * LONGEST + b'"}\n{"a": 3}')
    assert ({"a": 1}, {"a": 3}) == (first.parsed, third.parsed)
    assert ("line 2", b"") == (second.place, second.value)
    assert second.wrong.startswith("too-large: it has more than 1048576 bytes")


def test_an_event_of_an_array_that_is_too_long_is_told() -> None:
    first, second = read(b'[{"a": 1}, {"a": "' + b"x" * 3 * LONGEST + b'"}]')
    assert {"a": 1} == first.parsed
    assert second.wrong
