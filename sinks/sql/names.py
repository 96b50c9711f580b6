"""Names of people in the form in which they are searched."""

from __future__ import annotations

import unicodedata


def folded(name: str) -> str:
    """A name as it is searched: case-folded, without accents, in Unicode form NFKD."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))
