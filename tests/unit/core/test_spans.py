"""Sets of instants against Python's sets of small numbers."""

from __future__ import annotations

from collections.abc import Sequence

from core.spans import ALWAYS, NEVER, Spans, complement, contains, first, intersection, union
from hypothesis import given
from hypothesis import strategies as st

INSTANTS = range(-1, 8)
PARTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=5)


def members(spans: Spans) -> set[int]:
    """The instants in the spans, by their definition."""
    return {instant for instant in INSTANTS for start, end in spans if start <= instant < end}


@given(PARTS)
def test_a_union_holds_what_any_part_holds_in_order_and_apart(parts: Sequence[tuple[int, int]]) -> None:
    found = union(parts)
    assert members(tuple(parts)) == members(found)
    edges = [edge for span in found for edge in span]
    assert edges == sorted(set(edges))


@given(PARTS, PARTS)
def test_complement_and_intersection_are_those_of_sets(
    one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]
) -> None:
    a, b = union(one), union(other)
    assert set(INSTANTS) - members(a) == members(complement(a))
    assert members(a) & members(b) == members(intersection(a, b))
    assert (a, NEVER, ALWAYS) == (complement(complement(a)), complement(ALWAYS), complement(NEVER))


@given(PARTS, st.sampled_from(INSTANTS))
def test_the_first_instant_is_found_and_an_end_is_none(parts: Sequence[tuple[int, int]], since: int) -> None:
    spans = union(parts)
    assert min((at for at in members(spans) if at >= since), default=None) == first(spans, since)
    assert (since in members(spans)) == contains(spans, since)
