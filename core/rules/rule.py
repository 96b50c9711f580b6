"""A rule: when it is judged, what must hold, how long the match stands, whom it tells. A value, read from data by
``parsing``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..bounds import VALUE_BYTES, cut
from ..timeline.entry import Entry
from ..timeline.vocabulary import EventType
from .conditions.condition import Condition

MOST_READ, MOST_NAME = 16, 64
"""Fields that a rule looks at in its trigger, and characters of a field's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One alert rule. Durations in µs; ``when`` names streams; ``key`` a field of the trigger, or ``None``."""

    name: str
    about: str
    version: int
    when: tuple[str, ...]
    condition: Condition
    key: str | None
    resolves: Condition | None
    expires: int | None
    cooldown: int
    severity: str
    notify: tuple[str, ...]
    mutes: tuple[str, ...]
    reason: str
    action: str
    tests: tuple[Mapping[str, object], ...] = field(default=(), hash=False)
    reads: tuple[str, ...] = field(init=False)
    """The fields of the trigger that the rule looks at: they are its evidence's values."""
    since_fired: bool = field(init=False)
    """Whether it depends on when a match fired how it is resolved, and not on its key alone."""
    ended_by: frozenset[str] = field(init=False)
    """The streams of which an entry can end a match, or move its end."""

    def __post_init__(self) -> None:
        named = {self.key} if self.key else set()
        reads = self.condition.fields() | named | set(re.findall(r"{(\w+)}", self.reason))
        object.__setattr__(self, "reads", tuple(sorted(reads)))
        features = () if self.resolves is None else self.resolves.features()
        object.__setattr__(self, "since_fired", self.resolves is not None and self.resolves.since_fired())
        object.__setattr__(self, "ended_by", frozenset(stream for feature in features for stream in feature.streams))

    def fields_of(self, trigger: Entry, kind: EventType) -> dict[str, object]:
        """What the rule looks at in its trigger, an event of this type."""
        data, defaults = trigger.data, kind.defaults
        found: dict[str, object] = {}
        for name in self.reads:
            value = data.get(name)
            if value is None:
                value = defaults.get(name)
            if value is not None:
                found[name] = value
        return found

    def key_of(self, data: Mapping[str, object]) -> str:
        """The instance key of an alert whose trigger says ``data`` in the fields that the rule looks at: the value of
        the one that it names as text, cut where it is long.
        """
        value = None if self.key is None else data.get(self.key)
        return "" if value is None else cut(str(value), VALUE_BYTES)
