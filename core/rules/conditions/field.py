"""``field``: a comparison on a field of the trigger, ``{field: purpose, in: [promotion, survey]}``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import eq, ne
from typing import ClassVar, Self, cast

from ...timeline.entry import FOREVER
from ...timeline.features import Feature
from ..reading import RuleError
from .condition import Answer, Condition, FeatureIndex, Now
from .part import Part


def _is_in(found: object, expected: object) -> bool:
    return found in cast(list[object], expected)


def _at_least(found: object, expected: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and found >= cast(float, expected)


def _at_most(found: object, expected: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and found <= cast(float, expected)


TESTS: Mapping[str, Callable[[object, object], bool]] = {
    "is": eq,
    "is_not": ne,
    "in": _is_in,
    "at_least": _at_least,
    "at_most": _at_most,
}
"""How a field's value is compared with the expected one; a missing field is no number and equals nothing."""


@dataclass(frozen=True, slots=True)
class Field(Condition):
    """A comparison on a field of the triggering event."""

    written: ClassVar[str] = "field"
    options: ClassVar[tuple[str, ...]] = tuple(TESTS)

    name: str
    test: str
    value: object

    @classmethod
    def parse(cls, raw: Mapping[str, object], where: str, part: Part) -> Self:
        """The condition that ``raw`` describes. Raises ``RuleError``."""
        at = f"{where}.{cls.written}"
        if part.resolving:
            raise RuleError(f"{at}: what resolves an alert can't look at its trigger")
        tests = [test for test in TESTS if test in raw]
        if len(tests) != 1:
            raise RuleError(f"{at}: needs one of {', '.join(TESTS)}")
        if tests[0] == "in" and not isinstance(raw["in"], list):
            raise RuleError(f"{at}: 'in' takes a list, as in in: [promotion, survey]")
        return cls(str(raw[cls.written]), tests[0], raw[tests[0]])

    def holds(self, now: Now) -> Answer:
        return () if TESTS[self.test](now.data.get(self.name), self.value) else None

    def changes(self, now: Now) -> int:
        return FOREVER

    def features(self) -> Iterable[Feature]:
        return ()

    def bound(self, kept: FeatureIndex) -> Condition:
        return self

    def fields(self) -> frozenset[str]:
        return frozenset({self.name})
