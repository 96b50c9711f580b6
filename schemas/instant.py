"""Instants: RFC 3339 text with an offset on the wire, integer UTC microseconds inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta

InstantText = Annotated[datetime, Meta(tz=True)]
"""An instant's text for msgspec, as ``render`` writes it: faster than ``parse``, which checks more."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
LONGEST = 64
"""Most characters of an instant's text: the digits of a fraction must not make an event long."""
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_read = datetime.fromisoformat
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_USUAL = frozenset({b"0000-00-00T00:00:00Z", b"0000-00-00T00:00:00.000Z", b"0000-00-00T00:00:00.000000Z"})
"""The forms of most instants, each digit replaced by a zero: a regular expression takes as long as all the rest."""
# datetime.fromisoformat alone would also take week dates, a comma, a blank for the T and times without offset.
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
).fullmatch


def parse(text: str) -> int:
    """Return UTC microseconds; finer digits are cut, never rounded.

    Raises ValueError for anything but RFC 3339 with an offset, for a leap second (``:60``), which these microseconds
    can't express, for instants before 1970 or after 9999, which can't be rendered, and for more than ``LONGEST``
    characters.
    """
    if type(text) is str and text.encode().translate(_ZEROS) in _USUAL:
        instant = (_read(text) - _EPOCH) // _MICROSECOND
    elif _RFC3339(text) is None or len(text) > LONGEST:
        raise ValueError("not RFC 3339 with an offset")
    else:
        instant = (_read(text.upper()) - _EPOCH) // _MICROSECOND
    if 0 <= instant <= _LAST:
        return instant
    raise ValueError("not between 1970 and 9999")


def of(moment: datetime) -> int:
    """UTC microseconds of a decoded ``InstantText``."""
    return (moment - _EPOCH) // _MICROSECOND


def render(instant: int) -> str:
    """Return UTC microseconds as RFC 3339 text ending in ``Z``. Raises OverflowError outside the years 1 to 9999."""
    return (_EPOCH + timedelta(microseconds=instant)).replace(tzinfo=None).isoformat() + "Z"
