"""Identifiers: normalised, blocked, hashed with the key, masked for people (semantics 2, vocabulary: ``customer``)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import phonenumbers
import yaml
from email_validator import EmailNotValidError, validate_email

RANKS = ("customer_no", "debtor_no", "login", "email", "phone", "social", "device")
IGNORABLE = [
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0),
    *(*range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)),
    *(*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)),
    *range(0xE0000, 0xE1000),
]
"""Default ignorable code points of Unicode."""


class Identifier(NamedTuple):
    """What identifies: ordered by rank, then type, then value."""

    rank: int
    type: str
    value: str


def identifiers(data: Mapping[str, Any], region: str | None) -> list[Identifier]:
    """The identifiers of an event, strongest first, each once; those of nobody are dropped."""
    sent = [(one["type"], one["value"]) for one in data["customer"]["identifiers"]]
    return sorted({one for kind, value in sent if (one := identifier(kind, value, region)) is not None})


def is_type(kind: str) -> bool:
    """Whether there is such a type."""
    return kind.lower() in RANKS


def identifier(kind: str, value: str, region: str | None) -> Identifier | None:
    """One of them as the bus compares it, or ``None`` if it identifies nobody."""
    kind, value = kind.lower(), seen(value)
    if kind == "email" and value.endswith(">") and value.count("<") == value.count(">") == 1:
        value = value[value.index("<") + 1 : -1].strip()
    if not is_type(kind) or is_nobody(kind, value):
        return None
    normal = _normal(kind, value, region)
    normal = None if normal is None else unicodedata.normalize("NFC", normal)
    return None if normal is None or is_nobody(kind, normal) else Identifier(RANKS.index(kind), kind, normal)


def seen(value: str) -> str:
    """Without what nobody sees."""
    kept = (" " if unicodedata.category(c) in ("Zs", "Zl", "Zp") else c for c in value if ord(c) not in IGNORABLE)
    return unicodedata.normalize("NFC", "".join(kept)).strip()


@cache
def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "agents" / "placeholders.yaml").read_bytes())
    words = " ".join(kept["words"].values())
    return {
        **kept,
        "words": {folded(word) for word in words.split()},
        "mailboxes": {folded(word) for word in kept["mailboxes"].split()},
    }


def folded(text: str) -> str:
    """Only letters and digits."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if c.isalnum())


def is_row(text: str) -> bool:
    """Equal characters, or digits that count."""
    if len(text) < 6:
        return False
    if len(set(text)) == 1:
        return True
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(text)} if text.isascii() and text.isdigit() else set()
    return steps in ({1}, {9})


def is_nobody(kind: str, value: str) -> bool:
    """Whether systems write that when they know nobody."""
    kept, word = _kept(), folded(value)
    if not value or not value.isprintable() or value.upper() in kept["exactly"]:
        return True
    if set(word) <= {"0"} or word in kept["words"] or is_row(word):
        return True
    if kind in ("email", "login") and "@" in value:
        local, domain = value.split("@", 1)
        box = folded(local.split("+")[0])
        if box in kept["mailboxes"] or (box in kept["words"] and folded(domain.split(".")[0]) == box):
            return True
    templates = kept["templates"]
    return not value.isalnum() and (
        any(re.search(one, value) for one in templates["anywhere"])
        or any(re.fullmatch(one, value) for one in templates["whole"])
        or (kind not in {"login", "social"} and any(re.fullmatch(t, value) for t in templates["whole_unless_handles"]))
    )


def _normal(kind: str, value: str, region: str | None) -> str | None:
    match kind:
        case "customer_no" | "debtor_no":
            return value.upper()
        case "login":
            return value.casefold()
        case "email":
            return _address(value)
        case "phone":
            return _number(value, region)
        case "social":
            network, _, handle = value.casefold().partition(":")
            network, handle = network.strip(), handle.strip().lstrip("@")
            return f"{network}:{handle}" if network and handle and not is_nobody(kind, handle) else None
    return value


def _address(value: str) -> str | None:
    if value.lower().startswith("mailto:"):
        value = unquote(value.split(":", 1)[1].split("?")[0]).strip()
    if value[:2] == "//" or "\N{REPLACEMENT CHARACTER}" in value:
        return None
    try:
        return validate_email(value, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


def _number(value: str, region: str | None) -> str | None:
    value = re.sub(r"\s+", " ", value)
    value = re.sub(r"(/|\\) ?([xX])", r" \2", value)
    if len(value) > 64 or any(part.lower().startswith("isub=") for part in value.split(";")[1:]):
        return None
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or is_row(str(number.national_number)):
        return None
    plain = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    if not number.extension:
        return plain
    return f"{plain};ext={''.join(str(unicodedata.digit(digit)) for digit in number.extension)}"


class Key:
    """The keyed hashes of section 2."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(key).digest()

    def node(self, one: Identifier) -> str:
        """The node of an identifier."""
        return self._hash(f"{one.type}\n{one.value}", 16)

    def mask(self, one: Identifier) -> dict[str, str]:
        """What people see of it."""
        local, _, domain = one.value.partition("@")
        if one.type == "email":
            shown = f"{local[0]}…@{domain}"
        elif len(one.value) <= 4:
            shown = f"…{one.value[-1]}"
        else:
            shown = f"{one.value[:2]}…{one.value[-2:]}"
        return {"type": one.type, "value": f"{shown}#{self.node(one)[:4]}"}

    def customer(self, kind: str, node: str, offset: int) -> str:
        """The id of a customer whose first node was seen at this offset of the links log."""
        return "c_" + self._hash(f"customer\n{kind}\n{node}\n{offset}", 13)

    def _hash(self, text: str, size: int) -> str:
        return hashlib.blake2b(text.encode(), digest_size=size, key=self._key).hexdigest()


def nodes(found: Sequence[Identifier], key: Key) -> list[tuple[str, str]]:
    """(type, hash) of each."""
    return [(one.type, key.node(one)) for one in found]
