"""Checks of the settings about identifiers; a refusal says what was probably meant. Refusals are pydantic's errors."""

from __future__ import annotations

import re

from pydantic_core import PydanticCustomError

from schemas.identifier_types import RANKS, another_name_of

_OWN_TYPE = re.compile("[a-z][a-z0-9_]{0,63}")
_OTHER_CODES = {"UK": "GB", "EN": "GB", "EL": "GR"}
"""Country codes that people write, and what ISO 3166 has instead."""


def known_region(code: str) -> str:
    """Returns ``code`` if this country has telephone numbers. Raises ``PydanticCustomError``."""
    from phonenumbers import SUPPORTED_REGIONS  # the import takes 0.1 s, and few set this

    if code in SUPPORTED_REGIONS:
        return code
    meant = _OTHER_CODES.get(code.upper(), code.upper())
    if meant in SUPPORTED_REGIONS:
        raise _refused(f"did you mean {meant}? {code!r} is not a country of ISO 3166")
    raise _refused(f"{code!r} is not a country with telephone numbers; expected two letters of ISO 3166, such as GB")


def check_own_type(name: str) -> None:
    """Checks a name for one of the company's own types of identifiers. Raises ``PydanticCustomError``."""
    if not _OWN_TYPE.fullmatch(name):
        raise _refused(f"{name!r} can't name a type; expected a-z, 0-9 and _, at most 64, a letter first")
    if name in RANKS:
        raise _refused(f"{name!r} is a built-in type")
    if (meant := another_name_of(name)) is not None:
        raise _refused(f"{name!r} is another name of the type {meant!r}; let the departments send {meant!r}")


def check_blocked(entry: str) -> None:
    """Checks one of the company's blocked identifiers. Raises ``PydanticCustomError``."""
    kind, colon, text = entry.partition(":")
    if colon and (meant := another_name_of(kind.strip().lower())) is not None:
        raise _refused(f"did you mean {meant!r}? {kind!r} is not a type of identifier")
    if not _says(entry, "* ") or (colon and not _says(text, " ")):
        raise _refused(f"{entry!r} blocks nothing, or everything")


def _says(text: str, nothing: str) -> bool:
    """Whether the text has a visible character beside those of ``nothing``."""
    return any(sign.isprintable() and sign not in nothing for sign in text)


def _refused(words: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{words}", {"words": words})
