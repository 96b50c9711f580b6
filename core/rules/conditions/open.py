"""``open``: a matter of a kind is open, ``{open: {case: {severity: high}}}``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...timeline.entry import FOREVER
from .condition import MATTER, Answer, Evidence, Now
from .of_matters import OfMatters


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(OfMatters):
    """A matter is open."""

    written: ClassVar[str] = "open"

    def holds(self, now: Now) -> Answer:
        meant = self._meant(now)
        if not meant:
            return None
        return tuple([Evidence(one.changed, self.where, MATTER) for one in meant if one.changed is not None]) or None

    def changes(self, now: Now) -> int:
        return FOREVER
