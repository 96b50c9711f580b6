"""What the bus knows of one customer: who they are, the state folded from their entries, their alerts."""

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
"""Most open matters that a profile lists, the latest ones; a number beside them counts all."""

MOST_IDENTIFIERS = 100
"""Most masked identifiers that a profile lists, the first by type and value; one event may have as many."""


OpenMatters = tuple[Sequence[Mapping[str, object]], int]
"""The latest open matters as a profile lists them, oldest first, and the number of all open ones."""


@dataclass(slots=True)
class Customer:
    """One customer. ``step`` changes it in place inside a unit of work; it is discarded when that fails. ``is_new``: no
    record about them came before.

    ``entries``: the number of entries; ``last_at``: the latest entry's instant (µs), both without notes. ``latest_at``:
    the largest value that ``last_at`` ever had (µs): a copy can move the latest entry to an earlier instant, but the
    customer's clock must not go back. ``derived``: the state folded from the entries; ``None``: it must be folded
    again. ``folded_until``: the latest instant in that state (µs). ``shown``: the open matters as last published.
    ``appended``: the journal's clock, ``until``: how far ticks have come for them, both at their latest record (µs).
    ``alerts``: those that an event in order can affect. ``archived``: the number of the others, which the history
    holds; at ``forgets_at`` (µs) the first of them may be forgotten. Unless a record comes, no alert ends before the
    customer's clock reaches ``ends_at`` (µs), and none is archived before an entry of ``archives_at`` (µs). Matches up
    to ``decided_until`` (µs) are decided for good.
    ``arriving``: by move, the number of parts still to come; until then nothing is evaluated. ``unjudged``: the last
    part came, and its evaluation failed.
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
    published_matters: OpenMatters = ((), 0)
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
    """Both: how this step changes the archived alerts."""

    @property
    def now(self) -> int:
        """The customer's clock, by which alerts stand and end (µs)."""
        return max(self.until, self.latest_at)

    @property
    def has_due_alerts(self) -> bool:
        """Whether an alert may have ended, or may have to be archived."""
        if not self.alerts:
            return False
        return self.archives_at <= self.folded_until or self.ends_at <= self.now

    def reschedule(self, alert: Alert) -> None:
        """Takes note of an alert that is new or has a new end."""
        if not alert.standing:
            self.reschedule_all()
        elif alert.end is not None and alert.end < self.ends_at:
            self.ends_at = alert.end

    def reschedule_all(self) -> None:
        """Takes note that any alert may have ended or may have to be archived; when the next one does is unknown."""
        self.ends_at = self.archives_at = BEFORE_ALL

    def add_identifiers(self, masked_identifiers: Iterable[tuple[str, str]]) -> None:
        """Adds identifiers of the customer, (type, value)."""
        known = self.identifiers
        for mask in masked_identifiers:
            if mask not in known and (len(known) < MOST_IDENTIFIERS or mask < known[-1]):
                known = self.identifiers = sorted([*known, mask])[:MOST_IDENTIFIERS]

    def archive(self, alerts: Sequence[Alert], cooldown: int) -> None:
        """Archives alerts that no event in order can affect. ``cooldown``: the longest of any rule (µs)."""
        self.archiving += alerts
        self.archived += len(alerts)
        self.forgets_at = min([self.forgets_at, *(alert.suppresses_until(cooldown) for alert in alerts)])

    def unarchive(self, alerts: Iterable[Alert]) -> None:
        """Takes alerts out of the archive."""
        for alert in alerts:
            self.unarchived[alert.name] = alert
            self.archived -= 1

    def open_matters(self, rules: RuleSet) -> OpenMatters:
        """The open matters by the current state; those published last while there is no state."""
        if self.derived is None:
            return self.published_matters
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
