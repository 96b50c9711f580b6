"""RFC 3339 to integer microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import instant

_NINE = 1_772_442_000_000_000  # 2026-03-02T09:00:00Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("2026-03-02T09:00:00Z", _NINE),
        ("2026-03-02t09:00:00z", _NINE),
        ("2026-03-02T09:00:00-00:00", _NINE),
        ("2026-03-02T10:30:00+01:30", _NINE),
        ("2026-03-01T22:00:00.5-11:00", _NINE + 500_000),
        ("2026-03-02T09:00:00.1234567Z", _NINE + 123_456),
        ("2026-03-02T09:00:00.999999999999Z", _NINE + 999_999),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ],
)
def test_an_instant_is_read_to_the_microsecond_and_finer_digits_are_cut(text: str, expected: int) -> None:
    assert expected == instant.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-02",
        "2026-03-02T09:00Z",
        "2026-03-02T09:00:00",
        "2026-03-02 09:00:00Z",
        "2026-03-02T09:00:00,5Z",
        "2026-03-02T09:00:00.Z",
        "2026-03-02T09:00:00+0100",
        "2026-03-02T09:00:00+01:00:30",
        "2026-03-02T09:00:00+24:00",
        "2026-03-02T24:00:00Z",
        "2026-03-02T23:59:60Z",
        "2026-02-30T09:00:00Z",
        "2026-W10-1T09:00:00Z",
        "20260302T090000Z",
        "+2026-03-02T09:00:00Z",
        "12026-03-02T09:00:00Z",
        "0000-03-02T09:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-03-02T09:00:00Z\n",
        "2026-03-02T09:00:0\u0663Z",
        "2026-03-02T09:00:00\ud800",
        "now",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        instant.parse(text)


@given(
    st.integers(min_value=86_400_000_000, max_value=253_402_200_000_000_000),
    st.integers(min_value=-1439, max_value=1439),
)
def test_the_offset_only_says_where_the_clock_hung(moment: int, minutes: int) -> None:
    utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
    assert moment == instant.parse(utc.astimezone(timezone(timedelta(minutes=minutes))).isoformat())


@given(st.integers(min_value=0, max_value=253_402_300_799_999_999))
def test_what_is_rendered_reads_back(moment: int) -> None:
    assert moment == instant.parse(instant.render(moment))
