"""``closed``: a matter of a kind was closed, ``{closed: case, within: 14d}``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ...timeline.entry import BEFORE_ALL, FOREVER
from ...timeline.matters import Matter
from ..reading import duration
from .condition import MATTER, Answer, Evidence, Now
from .of_matters import OfMatters


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(OfMatters):
    """A matter is closed, and was closed in the window ``within`` (µs) before; 0: at any time."""

    written: ClassVar[str] = "closed"
    options: ClassVar[tuple[str, ...]] = ("within", "same")
    is_open: ClassVar[bool] = False
    within: int = 0

    def with_options(self, raw: Mapping[str, object], where: str) -> Self:
        """This condition with its window. Raises ``RuleError``."""
        return replace(self, within=duration(raw["within"], f"{where}.within")) if "within" in raw else self

    def holds(self, now: Now) -> Answer:
        after = now.t - self.within if self.within else BEFORE_ALL
        found = []
        for matter in self._meant(now):
            changed = matter.changed
            if changed is not None and changed.at > after:
                found.append(Evidence(changed, self.where, MATTER))
        return tuple(found) or None

    def changes(self, now: Now) -> int:
        if not self.within:
            return FOREVER
        left = max((one.changed.at for one in self._meant(now) if one.changed is not None), default=BEFORE_ALL)
        left += self.within
        return left if left > now.t else FOREVER

    def _recalled(self, wanted: str, now: Now) -> Matter | None:
        if self.within or self.feature is None:
            return None
        return self.feature.recalled(wanted, now.derived.at + 1, now.context)

    def _horizon(self) -> int:
        return self.within if self.within or self.same_is_key else FOREVER  # the trigger may name no matter
