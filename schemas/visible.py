"""Whether a person can see a text at all. An id that nobody can see is a mistake, and the next one has the same."""

from __future__ import annotations

import unicodedata

_UNSEEN = ("Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Me")
"""Unicode's categories of blanks, of what controls and joins, and of marks that need a sign to stand on."""
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters that are drawn as nothing."""


def is_visible(text: str) -> bool:
    """Whether at least one character of ``text`` is drawn."""
    if text.isascii():
        return any(" " < sign < "\x7f" for sign in text)
    return any(sign not in _FILLERS and unicodedata.category(sign) not in _UNSEEN for sign in text)
