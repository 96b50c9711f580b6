"""Placeholders: values that systems and people write when they do not know the customer. They identify nobody."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LIST = Path(__file__).with_suffix(".yaml")
"""The maintained list, with its sources."""

LONG = 6
"""How many equal or consecutive characters make a placeholder: customer 1111 exists, 123456 is one number in a million.
"""

_SIGNS = {code: None for code in range(128) if not chr(code).isalnum()}


def folded(text: str) -> str:
    """The letters and digits of ``text``, without case and accents."""
    if text.isascii():
        return text.lower().translate(_SIGNS)
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text.casefold())))


def is_row(digits: str) -> bool:
    """Whether these are at least ``LONG`` equal characters, or consecutive digits, rising or falling."""
    if len(digits) < LONG:
        return False
    if digits[0] == digits[1]:
        return digits == digits[0] * len(digits)
    counting = "0123456789" * (len(digits) // 10 + 2)
    return digits.isdecimal() and (digits in counting or digits[::-1] in counting)


class Placeholders:
    """The list, ready for look-ups."""

    def __init__(self) -> None:
        listed: dict[str, Any] = yaml.safe_load(LIST.read_text(encoding="utf-8"))
        self._words = frozenset(folded(word) for words in listed["words"].values() for word in words.split())
        self._exactly = frozenset(listed["exactly"])
        self._mailboxes = frozenset(map(folded, listed["mailboxes"].split()))
        self._anywhere = re.compile("|".join(listed["templates"]["anywhere"]))
        self._whole = re.compile("|".join(listed["templates"]["whole"]))
        self._unless_handles = re.compile("|".join(listed["templates"]["whole_unless_handles"]))

    def why(self, kind: str, value: str) -> str | None:
        """Why ``value`` identifies nobody, worded to follow "… is"; ``None`` if it may."""
        word = folded(value)
        if not word.strip("0") or word in self._words or value.upper() in self._exactly or is_row(word):
            return "a placeholder"
        if kind in ("email", "login") and "@" in value and self._is_nobodys(value):
            return "a mailbox that nobody reads"
        if not value.isalnum() and self._is_template(kind, value):
            return "a template that nobody filled in"
        return None

    def _is_template(self, kind: str, value: str) -> bool:
        if self._anywhere.search(value) or self._whole.fullmatch(value):
            return True
        return kind not in ("login", "social") and self._unless_handles.fullmatch(value) is not None

    def _is_nobodys(self, address: str) -> bool:
        local, _, domain = address.partition("@")
        mailbox = folded(local.partition("+")[0])
        return mailbox in self._mailboxes or (mailbox in self._words and mailbox == folded(domain.partition(".")[0]))


@cache
def kept() -> Placeholders:
    """The list, read once."""
    return Placeholders()
