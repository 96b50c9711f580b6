"""A difference between what stands on a topic and what must stand there, in words."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """``where``: a topic. ``what``: in words."""

    where: str
    what: str


def counted(where: str, found: Counter[Any], wanted: Counter[Any]) -> Iterator[Difference]:
    """What is there too seldom, and what too often."""
    yield from (Difference(where, f"{one} is missing") for one in (wanted - found).elements())
    yield from (Difference(where, f"{one} should not be there") for one in (found - wanted).elements())


def first(found: Any, wanted: Any, path: str = "") -> str:
    """The first place where two values differ."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for name in sorted(found.keys() | wanted.keys()):
            if found.get(name) != wanted.get(name):
                return first(found.get(name), wanted.get(name), f"{path}.{name}")
    if isinstance(found, list | tuple) and isinstance(wanted, list | tuple):
        for index, (one, other) in enumerate(itertools.zip_longest(found, wanted)):
            if one != other:
                return first(one, other, f"{path}[{index}]")
    return f"{path or 'all of it'} is {found!r} instead of {wanted!r}"
