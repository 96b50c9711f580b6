"""A rule: when it is evaluated, what must hold, how long the match stands, whom it notifies. A value; ``parsing`` reads
it from data.
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
"""Most fields that a rule reads of its trigger, and most characters of a field's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One alert rule. Durations in µs; ``when``: names of streams; ``key``: a field of the trigger, or ``None``."""

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
    """The fields that the rule reads of its trigger; the evidence shows their values."""
    since_fired: bool = field(init=False)
    """Whether a match is resolved depending on when it fired, and not on its key alone."""
    ended_by: frozenset[str] = field(init=False)
    """The streams whose entries can end a match, or move its end."""

    def __post_init__(self) -> None:
        named = {self.key} if self.key else set()
        reads = self.condition.fields() | named | set(re.findall(r"{(\w+)}", self.reason))
        object.__setattr__(self, "reads", tuple(sorted(reads)))
        features = () if self.resolves is None else self.resolves.features()
        object.__setattr__(self, "since_fired", self.resolves is not None and self.resolves.since_fired())
        object.__setattr__(self, "ended_by", frozenset(stream for feature in features for stream in feature.streams))

    def fields_of(self, trigger: Entry, kind: EventType) -> dict[str, object]:
        """The fields that the rule reads of its trigger, an event of this type, with their values."""
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
        """The instance key of an alert whose trigger has the fields ``data``: the value of the field ``key`` as text,
        cut if it is too long; empty if there is none.
        """
        value = None if self.key is None else data.get(self.key)
        return "" if value is None else cut(str(value), VALUE_BYTES)
