"""Identifiers: normalised, blocked, hashed with the key, masked for people (semantics 2, vocabulary: ``customer``)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email

RANKS = ("customer_no", "debtor_no", "login", "email", "phone", "social", "device")
NOBODY = {"", "null", "none", "nil", "undefined", "n/a", "na", "unknown", "guest", "anonymous", "-1", "-", "?"}


class Identifier(NamedTuple):
    """What identifies: ordered by rank, then type, then value."""

    rank: int
    type: str
    value: str


def identifiers(data: Mapping[str, Any], region: str | None) -> list[Identifier]:
    """The identifiers of an event, strongest first, each once; blocked ones are dropped."""
    sent = [(one["type"], one["value"]) for one in data["customer"]["identifiers"]]
    return sorted({one for kind, value in sent if (one := identifier(kind, value, region)) is not None})


def identifier(kind: str, value: str, region: str | None) -> Identifier | None:
    """One of them as the bus compares it, or ``None`` if it identifies nobody."""
    kind, value = kind.strip().lower(), value.strip()
    normal = None if _nobody(value) else _normal(kind, value, region)
    if normal is None or _nobody(normal):
        return None
    return Identifier(RANKS.index(kind) if kind in RANKS else len(RANKS), kind, normal)


def _nobody(value: str) -> bool:
    return value.casefold() in NOBODY or not value.isprintable() or re.fullmatch("[0. -]*", value) is not None


def _normal(kind: str, value: str, region: str | None) -> str | None:
    match kind:
        case "customer_no" | "debtor_no":
            return value.upper()
        case "login":
            return value.casefold()
        case "email":
            try:
                return validate_email(value, check_deliverability=False).normalized.lower()
            except EmailNotValidError:
                return None
        case "phone":
            try:
                number = phonenumbers.parse(value, region)
            except phonenumbers.NumberParseException:
                return None
            good = phonenumbers.is_possible_number(number)
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if good else None
        case "social":
            network, _, handle = value.casefold().partition(":")
            handle = handle.strip().lstrip("@")
            return f"{network.strip()}:{handle}" if handle else None
    return value


def mask(one: Identifier) -> dict[str, str]:
    """What people see of it."""
    local, _, domain = one.value.partition("@")
    if one.type == "email":
        shown = f"{local[0]}…@{domain}"
    elif len(one.value) <= 4:
        shown = f"…{one.value[-1]}"
    else:
        shown = f"{one.value[:2]}…{one.value[-2:]}"
    return {"type": one.type, "value": shown}


class Key:
    """The keyed hashes of section 2."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(key).digest()

    def node(self, one: Identifier) -> str:
        """The node of an identifier."""
        return self._hash(f"{one.type}\n{one.value}", 16)

    def customer(self, kind: str, node: str, offset: int) -> str:
        """The id of a customer whose first node was seen at this offset of the links log."""
        return "c_" + self._hash(f"customer\n{kind}\n{node}\n{offset}", 13)

    def _hash(self, text: str, size: int) -> str:
        return hashlib.blake2b(text.encode(), digest_size=size, key=self._key).hexdigest()


def nodes(found: Sequence[Identifier], key: Key) -> list[tuple[str, str]]:
    """(type, hash) of each."""
    return [(one.type, key.node(one)) for one in found]
