"""Instants: RFC 3339 text with an offset on the wire, integer UTC microseconds inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
# datetime.fromisoformat alone would also take week dates, a comma, a blank for the T and times without offset.
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
).fullmatch


def parse(text: str) -> int:
    """Return UTC microseconds; finer digits are cut, never rounded.

    Raises ValueError for anything but RFC 3339 with an offset, for a leap second (``:60``), which has no place on
    this scale, and for instants before 1970 or after 9999, which would not survive the way back.
    """
    if _RFC3339(text) is None:
        raise ValueError("not RFC 3339 with an offset")
    instant = (datetime.fromisoformat(text if text[-1] != "z" else text.upper()) - _EPOCH) // _MICROSECOND
    if 0 <= instant <= _LAST:
        return instant
    raise ValueError("not between 1970 and 9999")


def render(instant: int) -> str:
    """Return UTC microseconds as RFC 3339 text ending in ``Z``. Raises OverflowError outside the years 1 to 9999."""
    return (_EPOCH + timedelta(microseconds=instant)).replace(tzinfo=None).isoformat() + "Z"
