"""A file of events, in each of its forms, and where something is wrong in it."""

from __future__ import annotations

import pytest

from cli.event_file import Written, read


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_nothing_is_no_event(content: bytes) -> None:
    assert [] == read(content)


def test_json_lines_keep_their_bytes_and_line_numbers() -> None:
    expected = [Written("line 1", b'{"a": 1}', {"a": 1}), Written("line 3", b'{"a":2.0}', {"a": 2.0})]
    assert expected == read(b'{"a": 1}\r\n\n{"a":2.0}\n')


def test_one_event_may_go_over_several_lines() -> None:
    assert [Written("the event", b'{\n "a": 1\n}', {"a": 1})] == read(b'\xef\xbb\xbf{\n "a": 1\n}\n')


def test_an_array_holds_events() -> None:
    assert [("event 1", {"a": 1}), ("event 2", 7)] == [(one.place, one.parsed) for one in read(b'[{"a": 1},\n 7]')]


def test_a_broken_line_is_told_from_the_good_ones() -> None:
    first, second, third = read(b'{"a": 1}\n{"a": \n{"a": 3}')
    assert (None, "line 2") == (second.parsed, second.place)
    assert "column" in second.wrong
    assert ({"a": 1}, {"a": 3}) == (first.parsed, third.parsed)


def test_one_broken_document_is_one_error_with_its_line() -> None:
    (only,) = read(b'[\n {"a": 1},\n {"a": oops}\n]')
    assert ("line 3", None) == (only.place, only.parsed)
    assert only.wrong


def test_a_single_broken_line_is_line_one() -> None:
    (only,) = read(b"{oops")
    assert "line 1" == only.place
    assert only.wrong


def test_bytes_that_are_no_text_are_an_error_not_a_crash() -> None:
    assert ["line 1", "line 2"] == [one.place for one in read(b'{"a": 1}\n\xff\xfe\x00')]


def test_a_large_file_is_read_in_seconds() -> None:
    line = b'{"id": "1", "data": {"customer": {"identifiers": []}}}\n'
    assert 100_000 == len(read(line * 100_000))
