"""``overdue``: an open invoice is overdue for so many days, ``{overdue: invoice, days: 14}``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ...timeline.entry import DAY, FOREVER
from ...timeline.matters import INVOICE, Matter
from ..reading import RuleError
from .condition import MATTER, Answer, Evidence, Now
from .of_matters import OfMatters


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue(OfMatters):
    """An invoice is open, an overdue event about it came, and its due date is at least ``days`` days ago."""

    written: ClassVar[str] = "overdue"
    options: ClassVar[tuple[str, ...]] = ("days", "same")
    entities: ClassVar[tuple[str, ...]] = (INVOICE,)
    days: int = 0

    def with_options(self, raw: Mapping[str, object], where: str) -> Self:
        """This condition with its days. Raises ``RuleError``."""
        days = raw.get("days", 0)
        if not isinstance(days, int) or isinstance(days, bool) or days < 0:
            raise RuleError(f"{where}.days: {days!r} is not a whole number of days")
        return replace(self, days=days)

    def holds(self, now: Now) -> Answer:
        found = []
        for matter in self._meant(now):
            bill = matter.bill
            if bill is not None and bill.warned is not None and now.t >= self._since(matter):
                found.append(Evidence(bill.warned, self.where, MATTER))
        return tuple(found) or None

    def changes(self, now: Now) -> int:
        since = min([self._since(matter) for matter in self._meant(now)], default=FOREVER)
        return since if since > now.t else FOREVER

    def _since(self, matter: Matter) -> int:
        """The instant from which on the invoice is overdue for ``days`` days (µs)."""
        bill = matter.bill
        return FOREVER if bill is None or bill.warned is None or bill.due is None else bill.due + self.days * DAY
