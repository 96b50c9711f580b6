"""Names of people, as they are looked for."""

from __future__ import annotations

import unicodedata


def folded(name: str) -> str:
    """A name as it is searched: without case and accents, and in one form of its characters."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))
