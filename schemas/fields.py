"""The kinds of field that events are made of. Each description continues "expected …" in a refusal.

Lengths are limited wherever a value becomes a key or part of a customer's document: no single event may make such a
document larger than its topic allows. What counts is the length in bytes as JSON, which is never less than the
characters that ``max_length`` limits: ``Contract`` checks it.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from . import instant
from .currency import CODES
from .visible import VISIBLE

_CURRENCY = 'an ISO 4217 currency code, such as "EUR"'
_NO_SIGN = "an amount without a sign"
_DATE = 'a date as a string, such as "2026-03-31"'
_INSTANT = f'an RFC 3339 time with offset of at most {instant.LONGEST} characters, such as "2026-03-02T09:00:00Z"'


def known_currency(code: str) -> str:
    if code not in CODES:
        raise PydanticCustomError("expected", _CURRENCY)
    return code


def _without_sign(words: str, amount: str) -> str:
    if amount.startswith("-"):
        raise PydanticCustomError("expected", words)
    return amount


def _real_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("expected", _DATE) from None
    return text


def _real_instant(text: str) -> str:
    try:
        instant.parse(text)
    except ValueError:
        raise PydanticCustomError("expected", _INSTANT) from None
    return text


Id = Annotated[
    str,
    Field(
        min_length=1,
        max_length=256,
        pattern=VISIBLE,
        description="a string of 1 to 256 bytes as JSON with a visible character",
    ),
]
Word = Annotated[str, Field(min_length=1, max_length=256, description="a string of 1 to 256 bytes as JSON")]
Text = Annotated[str, Field(description="a string")]
Url = Annotated[str, Field(min_length=1, max_length=8192, description="a string of 1 to 8192 bytes as JSON")]
Query = Annotated[str, Field(max_length=8192, description="a string of at most 8192 bytes as JSON")]

Amount = Annotated[
    str,
    Field(
        pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$",
        description='a decimal number written as a string, such as "129.90"',
        json_schema_extra={"pattern": r"^[0-9]{1,15}(\.[0-9]{1,6})?$"},
    ),
]
"""The sign is checked apart, with its own wording: another event type says what a minus would mean."""


def without_sign(instead: str = "") -> AfterValidator:
    """For an ``Amount``; ``instead``: what a minus probably means, and the event type for that."""
    return AfterValidator(partial(_without_sign, f"{_NO_SIGN}: {instead}" if instead else _NO_SIGN))


Money = Annotated[Amount, without_sign()]
Currency = Annotated[
    str,
    Field(
        description=_CURRENCY,
        json_schema_extra={"pattern": "^[A-Z]{3}$"},
    ),
    AfterValidator(known_currency),
]
Date = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description=_DATE,
        json_schema_extra={"format": "date"},
    ),
    AfterValidator(_real_date),
]
Instant = Annotated[
    str,
    Field(
        description=_INSTANT,
        json_schema_extra={"format": "date-time"},
    ),
    AfterValidator(_real_instant),
]
Seconds = Annotated[
    float, Field(ge=0, le=10**9, allow_inf_nan=False, description="a number of seconds from 0 to 1000000000")
]
Count = Annotated[int, Field(ge=0, le=2**53 - 1, description="a whole number from 0 to 9007199254740991")]
Items = Annotated[list[dict[str, Any]], Field(fail_fast=True, description="an array of objects")]
