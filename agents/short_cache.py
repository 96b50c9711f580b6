"""A cache of values computed from identifiers, of short ones only: senders decide how long and how many they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Pairs = tuple[tuple[str, str], ...]
"""Identifiers as ``(type, value)`` pairs."""
Value = TypeVar("Value")

CACHED = 50_000
"""Entries per cache. All caches of ``Identifiers`` together take 1 KB for one identifier, 6 KB for the longest four."""
MOST_PAIRS, MOST_CHARACTERS = 4, 256
"""Pairs, and characters of all types and values together, up to which a result is cached: most events are far below."""


class ShortCache(dict[Pairs, Value]):
    """``cache[pairs]`` is what ``make`` returns for the pairs. A full cache is cleared."""

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
