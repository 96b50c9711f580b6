"""How large a value may be in a customer's document or in a message, in bytes as JSON (semantics 1.7).

The bytes of a text are those between its quotation marks; control characters and quotation marks count as escaped.
"""

from __future__ import annotations

import json

VALUE_BYTES = 256
"""Largest size of a field's value; contracts allow as much for a key, a word or an id."""

SIGN_BYTES = 6
"""Most bytes of one character as JSON: those of an escaped control character."""


def size(value: object) -> int:
    """The size of the value as JSON, in bytes."""
    encoded = len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode())
    return encoded - 2 if type(value) is str else encoded


def fits(value: object) -> bool:
    """Whether the value is small enough to be kept."""
    if type(value) is str and len(value) * SIGN_BYTES <= VALUE_BYTES:
        return True
    return size(value) <= VALUE_BYTES


def shown(value: object) -> object:
    """The value as messages carry it: a text that is too long is cut, any other value that is too large is ``…``."""
    if fits(value):
        return value
    return cut(value, VALUE_BYTES) if type(value) is str else "…"


def cut(text: str, most: int) -> str:
    """The text, or as much of its beginning as fits into ``most`` bytes with the ``…`` behind it."""
    if len(text) * SIGN_BYTES <= most or size(text) <= most:
        return text
    left = most - size("…")
    for place, sign in enumerate(text):
        left -= size(sign)
        if left < 0:
            return text[:place] + "…"
    return text
