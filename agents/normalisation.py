"""Normalisation: turns identifiers as departments send them into the values that the bus compares, or says why one
identifies nobody.

It needs no key, so that publishers can use it, too (``cxbus send``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from schemas.identifier_types import RANKS, meant_by
from schemas.refusal import quoted

from .dropped import Dropped, Nobody
from .placeholders import is_row, kept

VERSION = 2
"""Rises with every change that gives an identifier another *value*: with identities of another version every known
customer would look new.

Whether a value identifies at all (a valid number, a placeholder) may change without: what is linked stays linked.
"""

_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""The characters that Unicode calls default ignorable: direction marks, zero-width characters, soft hyphens, fillers.
"""
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
"""Spaces that are not ASCII."""
_ADDRESSED = re.compile("[^<>]*<([^<>]*)>")
"""An e-mail address with a display name: ``Ada <ada@example.com>``."""
_SLASHED = re.compile(r"[\\/] ?(?=x)", re.IGNORECASE)
"""A slash before an extension: the parser would take it for the beginning of a second number."""
LONGEST_NUMBER = 64
"""Characters at most of a telephone number as it is written: the parser takes milliseconds for more."""


class Identifier(NamedTuple):
    """A normalised identifier. The strongest sorts first: by rank, then type, then value."""

    rank: int
    type: str
    value: str


class JudgedIdentifiers(NamedTuple):
    """An event's identifiers: those that identify, strongest first, without repetition, and the others."""

    kept: tuple[Identifier, ...]
    dropped: tuple[Dropped, ...]


def clean(text: str) -> str:
    """``text`` in NFC, without invisible characters, with ASCII spaces, stripped."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", _BLANKS.sub(" ", _IGNORED.sub("", text))).strip()


class Normalisation:
    """``region`` (ISO 3166): of national phone numbers; ``types``: the company's own types of identifiers.

    ``blocked``: values and patterns that never identify, each after its type and a colon, or for any type: ``phone:+44
    20 7946 0000``, ``email:*@shop.example``, ``0800*``.
    """

    def __init__(self, region: str | None = None, blocked: Iterable[str] = (), types: Iterable[str] = ()) -> None:
        self._region = region
        self._ranks = {kind: rank for rank, kind in enumerate(RANKS)} | dict.fromkeys(types, len(RANKS))
        self._placeholders = kept()
        self._blocked: dict[str, re.Pattern[str]] = {}
        patterns: dict[str, list[str]] = {}
        for entry in blocked:
            kind, text = typed(entry, self._ranks)
            for one in self._ranks if kind is None else (kind,):
                patterns.setdefault(one, []).extend(self._patterns(one, clean(text)))
        for kind, some in patterns.items():
            self._blocked[kind] = re.compile("|".join(some), re.DOTALL)

    def judge(self, pairs: Sequence[tuple[str, str]]) -> JudgedIdentifiers:
        """Splits ``(type, value)`` pairs as sent into those that identify the customer and the others, with the
        reason.
        """
        return judged([self.identifier(kind, value) for kind, value in pairs])

    def identifier(self, kind: str, value: str) -> Identifier | Nobody:
        """One identifier as the bus compares it, or why it identifies nobody."""
        kind = kind.lower()
        rank = self._ranks.get(kind)
        if rank is None:
            return Nobody(None, self._unknown(kind))
        value = clean(value)
        if kind == "email" and (addressed := _ADDRESSED.fullmatch(value)) is not None:
            value = addressed[1].strip()
        if (why := self._why(kind, value)) is not None:
            return Nobody(kind, why)
        normal = self._form(kind, value)
        if isinstance(normal, Nobody):
            return normal
        normal = unicodedata.normalize("NFC", normal)
        if normal != value and (why := self._why(kind, normal)) is not None:
            return Nobody(kind, why)
        return Identifier(rank, kind, normal)

    def _unknown(self, kind: str) -> str:
        meant = meant_by(kind, self._ranks)
        if meant is not None:
            return f"{quoted(kind)}, which is not a type of identifier; did you mean {quoted(meant)}?"
        known = ", ".join(self._ranks)
        return f"not a type of identifier; expected {known}, or what CXBUS_IDENTIFIER_TYPES declares."

    def _why(self, kind: str, value: str) -> str | None:
        """Why this value, as sent or normalised, identifies nobody; ``None`` if it may."""
        if not value:
            return "empty"
        if not value.isprintable():
            return "text with characters that can't be printed"
        blocked = self._blocked.get(kind)
        if blocked is not None and blocked.fullmatch(value.casefold()):
            return "blocked by CXBUS_BLOCKED_IDENTIFIERS"
        return self._placeholders.why(kind, value)

    def _patterns(self, kind: str, text: str) -> list[str]:
        """Regular expressions for a value that a company blocks: the text and, without ``*``, also its normal form."""
        if "*" in text:
            return [_pattern(text.casefold())]
        normal = self._form(kind, text)
        return [re.escape(one.casefold()) for one in (text, normal) if isinstance(one, str)]

    def _form(self, kind: str, value: str) -> str | Nobody:
        """The normal form of a value."""
        if kind == "email":
            return _email(value)
        if kind == "phone":
            return _phone(value, self._region)
        if kind in ("customer_no", "debtor_no"):
            return value.upper()
        if kind == "login":
            return value.casefold()
        if kind == "social":
            return self._social(value)
        return value

    def _social(self, value: str) -> str | Nobody:
        network, _, handle = (part.strip() for part in value.casefold().partition(":"))
        handle = handle.lstrip("@")
        if not network or not handle:
            return Nobody("social", "not a network:handle, such as mastodon:ada")
        why = self._placeholders.why("social", handle)
        return f"{network}:{handle}" if why is None else Nobody("social", why)


def _email(value: str) -> str | Nobody:
    if value[:7].lower() == "mailto:":
        value = unquote(value[7:].partition("?")[0]).strip()
    if value.startswith("//") or "\ufffd" in value:
        return Nobody("email", "not an e-mail address")
    try:
        return validate_email(value, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return Nobody("email", "not an e-mail address")


def _phone(value: str, region: str | None) -> str | Nobody:
    value = _SLASHED.sub(" ", " ".join(value.split()))
    if len(value) > LONGEST_NUMBER or ";isub=" in value.lower():  # a subaddress, which the parser would drop
        return Nobody("phone", "not a telephone number")
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException as error:
        if region is None and error.error_type == error.INVALID_COUNTRY_CODE and not value.startswith("+"):
            return Nobody("phone", "a number without a country: write +44 …, or set CXBUS_PHONE_REGION")
        return Nobody("phone", "not a telephone number")
    if not phonenumbers.is_valid_number(number):
        return Nobody("phone", "not a valid telephone number")
    if is_row(str(number.national_number)):
        return Nobody("phone", "a placeholder")
    plain = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return f"{plain};ext={phonenumbers.normalize_digits_only(number.extension)}" if number.extension else plain


def _pattern(text: str) -> str:
    """A regular expression without backtracking, however many ``*`` there are."""
    first, *others, last = map(re.escape, text.split("*"))
    return first + "".join(f"(?>.*?{part})" for part in others) + f".*{last}"


def judged(ones: Sequence[Identifier | Nobody]) -> JudgedIdentifiers:
    """Combines an event's identifiers, which were judged one by one in their order."""
    kept = {one for one in ones if isinstance(one, Identifier)}
    dropped = (Dropped(place, one) for place, one in enumerate(ones) if isinstance(one, Nobody))
    return JudgedIdentifiers(tuple(sorted(kept)), tuple(dropped))


def typed(entry: str, types: Iterable[str]) -> tuple[str | None, str]:
    """The type and the text of a value that a company blocks; the type is ``None`` if it is of any type."""
    kind, colon, text = entry.partition(":")
    kind = kind.strip().lower()
    return (kind, text) if colon and kind in types else (None, entry)
