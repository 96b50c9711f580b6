"""From identifiers as departments send them to what the bus compares: normalised, blocked or hashed with a key.

What leaves here is never readable: a keyed hash for the identity graph, and a mask for people
(``a…@example.com``). Everything is cached: parsing one phone number takes tens of microseconds.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from core.identity import Node

RANKS = ("customer_no", "debtor_no", "login", "email", "phone", "social", "device")
"""Built-in types, strongest first; a company's own types come after them, by name."""

BLOCKED = frozenset(
    {"", "null", "none", "nil", "undefined", "n/a", "na", "unknown", "guest", "anonymous", "-1", "-", "?"}
)
"""Values that systems write when they know nobody. They never identify."""

CACHED = 50_000
"""Half a kilobyte each."""


class Identified(NamedTuple):
    """An event's identifiers, strongest first, each once: nodes and masks; and how many were blocked."""

    nodes: tuple[Node, ...]
    masks: tuple[tuple[str, str], ...]
    blocked: int


class Identifiers:
    """Normalises and hashes with one key. ``region`` (ISO 3166) makes national phone numbers readable."""

    def __init__(self, key: bytes, region: str | None = None, blocked: Iterable[str] = ()) -> None:
        if len(key) < 16:
            raise ValueError("the identity key needs at least 16 bytes")
        self._key = hashlib.sha256(key).digest()
        self._region = region
        self._blocked = BLOCKED | {value.strip().casefold() for value in blocked}
        self._one = lru_cache(maxsize=CACHED)(self._identify)
        self._only = lru_cache(maxsize=CACHED)(self._alone)
        self._masked = lru_cache(maxsize=CACHED)(self._mask)
        self._several = lru_cache(maxsize=CACHED)(self._combined)
        self.fingerprint = hmac.new(self._key, b"cxbus", "sha256").hexdigest()[:16]

    def of(self, pairs: Sequence[tuple[str, str]]) -> Identified:
        """What identifies the customer among ``(type, value)`` pairs as sent."""
        return self._only(*pairs[0]) if len(pairs) == 1 else self._several(tuple(pairs))

    def masks(self, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """The masks alone, which takes less."""
        return self._masked(*pairs[0]) if len(pairs) == 1 else self._several(tuple(pairs)).masks

    def _mask(self, kind: str, value: str) -> tuple[tuple[str, str], ...]:
        kind = kind.strip().lower()
        normal = self._normalise(kind, value)
        return () if normal is None else (mask(kind, normal),)

    def _alone(self, kind: str, value: str) -> Identified:
        one = self._identify(kind, value)
        return Identified((), (), 1) if one is None else Identified((one[1],), (one[2],), 0)

    def _combined(self, pairs: tuple[tuple[str, str], ...]) -> Identified:
        found = sorted({one for pair in pairs if (one := self._one(*pair)) is not None})
        blocked = sum(self._one(*pair) is None for pair in pairs)
        return Identified(tuple(node for _, node, _ in found), tuple(mask for _, _, mask in found), blocked)

    def hash(self, kind: str, value: str) -> str | None:
        """The node's hash, for a search; ``None`` when the value does not identify."""
        one = self._one(kind, value)
        return None if one is None else one[1].hash

    def mint(self, first: Node, offset: int) -> str:
        """A customer id: it tells nobody who it is, and a replay makes the same."""
        return "c_" + self._digest(f"customer\n{first.type}\n{first.hash}\n{offset}", 13)

    def _identify(self, kind: str, value: str) -> tuple[tuple[int, str, str], Node, tuple[str, str]] | None:
        kind = kind.strip().lower()
        normal = self._normalise(kind, value)
        if normal is None:
            return None
        rank = RANKS.index(kind) if kind in RANKS else len(RANKS)
        return (rank, kind, normal), Node(kind, self._digest(f"{kind}\n{normal}", 16)), mask(kind, normal)

    def _digest(self, text: str, size: int) -> str:
        return hashlib.blake2b(text.encode(), digest_size=size, key=self._key).hexdigest()

    def _normalise(self, kind: str, value: str) -> str | None:
        value = value.strip()
        plain = value.casefold()
        if plain in self._blocked or not value.isprintable() or not plain.strip("0-. "):
            return None
        if kind == "email":
            try:
                normal = validate_email(value, check_deliverability=False, allow_empty_local=False).normalized.lower()
            except EmailNotValidError:
                return None
        elif kind == "phone":
            found = self._phone(value)
            if found is None:
                return None
            normal = found
        elif kind in ("customer_no", "debtor_no"):
            normal = value.upper()
        elif kind == "social":
            network, _, handle = plain.partition(":")
            handle = handle.strip().lstrip("@")
            if not handle:
                return None
            normal = f"{network.strip()}:{handle}"
        elif kind == "login":
            normal = plain
        else:
            normal = value
        return None if normal.casefold() in self._blocked else normal

    def _phone(self, value: str) -> str | None:
        try:
            number = phonenumbers.parse(value, self._region)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_possible_number(number):
            return None
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def mask(kind: str, normal: str) -> tuple[str, str]:
    """Type and value: enough for a person to recognise it, too little to use it, like ``a…@example.com``."""
    if kind == "email":
        local, _, domain = normal.partition("@")
        return kind, f"{local[:1]}…@{domain}"
    if len(normal) <= 4:
        return kind, f"…{normal[-1:]}"
    return kind, f"{normal[:2]}…{normal[-2:]}"
