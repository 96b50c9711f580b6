"""Instants as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.timeline.entry import FOREVER, rfc3339

LAST = 253_402_300_799_999_999
"""The last microsecond of the year 9999."""


@given(st.integers(0, LAST) | st.integers(0, LAST // 1_000_000).map(lambda second: second * 1_000_000))
def test_an_instant_is_told_as_datetime_tells_it(instant: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
    assert at.replace(tzinfo=None).isoformat() + "Z" == rfc3339(instant)


@pytest.mark.parametrize("instant", [LAST + 1, FOREVER])
def test_an_instant_that_no_calendar_knows_is_refused(instant: int) -> None:
    with pytest.raises(OverflowError):
        rfc3339(instant)
