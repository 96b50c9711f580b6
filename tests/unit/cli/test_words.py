"""Values in a person's words."""

from __future__ import annotations

import pytest

from cli.output import shown
from cli.words import count, details, happening, listed, matters, moment, moment_of, named


def test_instants_are_shown_in_utc() -> None:
    assert "2026-03-02 09:00:00Z" == moment(1_772_442_000_000_000)
    assert "2026-03-02 09:00:00Z" == moment_of("2026-03-02T10:00:00+01:00")
    assert "" == moment(None)


@pytest.mark.parametrize("text", ["soon", "", None, 7])
def test_what_is_no_time_is_shown_as_it_is(text: object) -> None:
    assert str(text) == moment_of(text)


def test_a_type_is_shown_as_what_happened() -> None:
    assert "opportunity stage changed" == happening("sales.opportunity.stage_changed.v1")
    assert "something" == happening("something")


def test_details_leave_the_customer_out_and_stay_short() -> None:
    data = {"customer": {"name": "Ada"}, "caseId": "K1", "items": [{"a": 1}], "more": {"deep": {}}, "tags": ["a", "b"]}
    assert "caseId K1, items [1 item], more {…}, tags [a, b]" == details(data)
    assert 60 + len("text ") == len(details({"text": "x" * 1000}))
    assert 200 == len(details({f"field{n}": n for n in range(1000)}))


def test_known_as_and_open_matters_are_readable() -> None:
    assert "email a…@example.com" == named([{"type": "email", "value": "a…@example.com"}])
    matter = {"entity": "case", "id": "K1", "since": "2026-03-02T09:00:00Z", "category": "complaint"}
    assert "case K1 since 2026-03-02 09:00:00Z (category complaint)" == matters([matter])


def test_numbers_agree_with_their_nouns() -> None:
    assert ["0 events", "1 event", "2 events"] == [count(number, "event") for number in range(3)]
    assert ["", "a", "a and b", "a, b and c"] == [listed(list("abc"[:length])) for length in range(4)]


def test_what_a_terminal_would_obey_is_spelt_out() -> None:
    assert "\\u001b[2J\\u0007ok é \\u202e" == shown("\x1b[2J\x07ok é \u202e")
