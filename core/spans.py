"""Sets of instants: when something holds. Disjoint half-open spans ``[start, end)`` in order, in µs.

The usual algebra of interval sets; with it the end of an alert is found by looking instead of by trying instants.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

FOREVER = 2**62
Spans = tuple[tuple[int, int], ...]
ALWAYS: Spans = ((-FOREVER, FOREVER),)
NEVER: Spans = ()


def union(parts: Iterable[tuple[int, int]]) -> Spans:
    """All spans as one set, whatever their order and overlap; empty ones vanish."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(parts):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


def complement(spans: Spans) -> Spans:
    """Every instant that is not in ``spans``."""
    found = []
    at = -FOREVER
    for start, end in spans:
        if start > at:
            found.append((at, start))
        at = end
    if at < FOREVER:
        found.append((at, FOREVER))
    return tuple(found)


def intersection(one: Spans, other: Spans) -> Spans:
    """What is in both."""
    return complement(union((*complement(one), *complement(other))))


def first(spans: Spans, since: int) -> int | None:
    """The first instant in ``spans`` that is not before ``since``."""
    index = bisect_right(spans, (since, FOREVER))
    if index and since < spans[index - 1][1]:
        return since
    return spans[index][0] if index < len(spans) else None


def contains(spans: Spans, instant: int) -> bool:
    """Whether ``instant`` is in ``spans``."""
    return first(spans, instant) == instant
