"""What follows from identifiers, kept by these: only where they are short, for it is their sender who decides how long
they are, and how many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Pairs = tuple[tuple[str, str], ...]
"""Types and values."""
Value = TypeVar("Value")

CACHED = 50_000
"""All caches of ``Identifiers`` together take 1 KB of one identifier, and 6 KB of the longest four."""
MOST_PAIRS, MOST_CHARACTERS = 4, 256
"""Of what is kept, all types and values together: most events are far below."""


class ShortCache(dict[Pairs, Value]):
    """``cache[pairs]`` is what ``make`` makes of them. Full, it begins anew."""

    def __init__(self, make: Callable[[Pairs], Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, pairs: Pairs) -> Value:
        made = self._make(pairs)
        if len(pairs) <= MOST_PAIRS and sum(len(kind) + len(value) for kind, value in pairs) <= MOST_CHARACTERS:
            if len(self) >= CACHED:
                self.clear()
            self[pairs] = made
        return made
