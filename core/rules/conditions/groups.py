"""``all``, ``any`` and ``none`` of other conditions: ``{any: [{open: case}, {seen: Complaint, within: 48h}]}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ...timeline.entry import FOREVER
from ...timeline.features import Feature
from ..reading import RuleError
from .condition import Answer, Condition, FeatureIndex, Now
from .part import Part


@dataclass(frozen=True, slots=True)
class All(Condition):
    """Every part holds."""

    written: ClassVar[str] = "all"
    options: ClassVar[tuple[str, ...]] = ()

    parts: tuple[Condition, ...]

    @classmethod
    def parse(cls, raw: Mapping[str, object], where: str, part: Part) -> Self:
        """The condition that ``raw`` describes. Raises ``RuleError``."""
        inner, at = raw[cls.written], f"{where}.{cls.written}"
        items: list[object] = inner if isinstance(inner, list) else [inner]
        if not items:
            raise RuleError(f"{at}: is empty")
        return cls(tuple(part.condition(item, f"{at}[{place}]") for place, item in enumerate(items)))

    def holds(self, now: Now) -> Answer:
        found: Answer = ()
        for part in self.parts:
            answer = part.holds(now)
            if answer is None:
                return None
            found = found + answer if found else answer
        return found

    def changes(self, now: Now) -> int:
        found = FOREVER
        for part in self.parts:
            t = part.changes(now)
            if t < found:
                found = t
        return found

    def features(self) -> Iterable[Feature]:
        return [feature for part in self.parts for feature in part.features()]

    def bound(self, kept: FeatureIndex) -> Condition:
        return replace(self, parts=tuple(part.bound(kept) for part in self.parts))

    def fields(self) -> frozenset[str]:
        return frozenset().union(*(part.fields() for part in self.parts))

    def since_fired(self) -> bool:
        return any(part.since_fired() for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf(All):
    """At least one part holds; the evidence is that of every part that holds."""

    written: ClassVar[str] = "any"

    def holds(self, now: Now) -> Answer:
        found: Answer = None
        for part in self.parts:
            answer = part.holds(now)
            if answer is not None:
                found = answer if found is None else found + answer
        return found


@dataclass(frozen=True, slots=True)
class NoneOf(All):
    """No part holds. Absence leaves no evidence."""

    written: ClassVar[str] = "none"

    def holds(self, now: Now) -> Answer:
        for part in self.parts:
            if part.holds(now) is not None:
                return None
        return ()
