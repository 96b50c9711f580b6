"""What the bus knows of one customer: who they are, what is known of their entries, their alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from ..alerts.alert import Alert, Name
from ..rules.ruleset import RuleSet
from ..timeline.derived import Derived
from ..timeline.entry import BEFORE_ALL, FOREVER, rfc3339
from ..timeline.matters import Matters

MOST_SHOWN = 100
"""Open matters that a profile lists, the latest ones; their number says how many there are."""

MOST_IDENTIFIERS = 100
"""Masks that a profile lists, the first by type and value; as many identifiers as one event may have."""


OpenMatters = tuple[Sequence[Mapping[str, object]], int]
"""Of open matters what people are told, the latest ones, oldest first; and how many there are."""


@dataclass(slots=True)
class Customer:
    """One customer. Changed in place by ``journey.step`` inside a unit of work; thrown away when that fails.
    ``is_new``: no record was about them yet.

    ``entries`` and ``last_at`` (µs), the latest entry's instant, leave out notes; ``latest_at`` is the largest that
    this ever was: a copy can put the latest entry earlier, and time does not go back. ``derived``: what is known of the
    entries; ``None``: it must be folded from them. ``folded_until`` is the latest instant that it knows (µs).
    ``shown``: the open matters as they were told last.
    ``appended``: the journal's clock, and ``until``: how far time has come for them (µs), at their latest record.
    ``alerts``: those that something in order can concern. ``archived``: how many others there are; the history has
    them, and at ``forgets_at`` (µs) the first may be forgotten. Unless something happens, no alert ends before the
    customer's now is ``ends_at``, or is archived before an entry of ``archives_at`` (µs). Matches up to
    ``decided_until`` (µs) are decided for good.
    ``arriving`` counts the parts of moves that are still to come; until then nothing is judged. ``unjudged``: the last
    part came, and its judgement failed.
    """

    id: str
    derived: Derived | None
    is_new: bool = True
    name: str | None = None
    name_at: int = BEFORE_ALL
    identifiers: list[tuple[str, str]] = field(default_factory=list)
    last_contact: dict[str, int] = field(default_factory=dict)
    entries: int = 0
    last_at: int = BEFORE_ALL
    latest_at: int = BEFORE_ALL
    folded_until: int = BEFORE_ALL
    shown: OpenMatters = ((), 0)
    appended: int = BEFORE_ALL
    until: int = BEFORE_ALL
    alerts: list[Alert] = field(default_factory=list)
    archived: int = 0
    forgets_at: int = FOREVER
    ends_at: int = BEFORE_ALL
    archives_at: int = BEFORE_ALL
    decided_until: int = BEFORE_ALL
    arriving: dict[str, int] = field(default_factory=dict)
    unjudged: bool = False
    merged_into: str | None = None
    version: int = -1
    archiving: list[Alert] = field(default_factory=list)
    unarchived: dict[Name, Alert] = field(default_factory=dict)
    """What this step does to the archived alerts."""

    @property
    def now(self) -> int:
        """The customer's now, by which alerts stand and end (µs)."""
        return max(self.until, self.latest_at)

    @property
    def is_due(self) -> bool:
        """Whether an alert may have ended, or be archived."""
        if not self.alerts:
            return False
        return self.archives_at <= self.folded_until or self.ends_at <= self.now

    def look_at(self, alert: Alert) -> None:
        """It is new, or its end is."""
        if not alert.standing:
            self.look_at_alerts()
        elif alert.end is not None and alert.end < self.ends_at:
            self.ends_at = alert.end

    def look_at_alerts(self) -> None:
        """Some may have ended, or be archived: nobody knows yet when."""
        self.ends_at = self.archives_at = BEFORE_ALL

    def know(self, masked_identifiers: Iterable[tuple[str, str]]) -> None:
        """These are the customer's, too."""
        known = self.identifiers
        for mask in masked_identifiers:
            if mask not in known and (len(known) < MOST_IDENTIFIERS or mask < known[-1]):
                known = self.identifiers = sorted([*known, mask])[:MOST_IDENTIFIERS]

    def archive(self, alerts: Sequence[Alert], cooldown: int) -> None:
        """Nothing in order can concern these any more. ``cooldown``: the longest of any rule (µs)."""
        self.archiving += alerts
        self.archived += len(alerts)
        self.forgets_at = min([self.forgets_at, *(alert.reach(cooldown) for alert in alerts)])

    def unarchive(self, alerts: Iterable[Alert]) -> None:
        """These are archived no longer."""
        for alert in alerts:
            self.unarchived[alert.name] = alert
            self.archived -= 1

    def open_matters(self, rules: RuleSet) -> OpenMatters:
        """What is open by what is known; what was told last while nothing is."""
        if self.derived is None:
            return self.shown
        found: list[tuple[int, str, Mapping[str, object]]] = []
        for place, feature in rules.matters:
            for name, matter in cast(Matters, self.derived.states[place]).open.items():
                if matter.changed is not None:
                    since = matter.changed.at
                    told: dict[str, object] = {"entity": feature.entity, "id": name, "since": rfc3339(since)}
                    for field, index in feature.told:
                        if (value := matter.facts[index]) is not None:
                            told[field] = value
                    found.append((since, name, told))
        if len(found) > 1:
            found.sort(key=_since)
        return [told for _, _, told in found[-MOST_SHOWN:]], len(found)


def _since(matter: tuple[int, str, Mapping[str, object]]) -> tuple[int, str]:
    return matter[0], matter[1]
