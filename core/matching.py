"""Matches: what holds about a customer, as a pure function of the timeline (semantics 1.6, 1.7).

``matches`` is the batch definition over a whole history. ``match_at`` judges one trigger and ``end_of`` one match;
the incremental engine calls the same two on the part of the history that it keeps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .conditions import AsOf, Found
from .event import Entry
from .rule import Rule, RuleSet
from .spans import first
from .timeline import Streams, Timeline, streams_of

LABEL = "event"
"""The label of a match triggered by an event; a deadline has its own."""


@dataclass(frozen=True, slots=True)
class Match:
    """Something that holds: at ``time``, until ``end`` (``None``: no end known yet), because of ``evidence``."""

    rule: Rule
    key: str
    time: int
    uid: str
    trigger: Mapping[str, Any]
    evidence: tuple[Found, ...]
    end: int | None
    label: str = LABEL

    @property
    def id(self) -> str:
        return alert_id(self.rule.name, self.key, self.label, self.uid)

    @property
    def order(self) -> tuple[int, str, str]:
        """The order in which matches found together are decided."""
        return self.time, self.uid, self.label

    @property
    def digest(self) -> str:
        """Eight hex digits that change when the payload as of firing does."""
        names = "\n".join(found.entry.uid for found in self.evidence)
        return hashlib.sha256(f"{self.rule.version}\n{names}".encode()).hexdigest()[:8]


def alert_id(rule: str, key: str, label: str, uid: str) -> str:
    """The same for everybody who sees this match, whatever happens to the customer's id."""
    return "a_" + hashlib.sha256("\n".join(("alert1", rule, key, label, uid)).encode()).hexdigest()[:26]


def matches(entries: Iterable[Entry], rules: RuleSet, since: int = -(2**63)) -> list[Match]:
    """Every match with ``time >= since`` in this history, in the order of decision. Nothing here knows of arrival."""
    history = sorted(entries)
    return matches_in(Timeline.of(rules.plan, history), history, rules, since)


def matches_in(timeline: Timeline, history: Iterable[Entry], rules: RuleSet, since: int) -> list[Match]:
    """The same, when the timeline of ``history`` has been built already."""
    found = [
        match
        for entry in history
        if entry.at >= since
        for rule in rules.bearing(streams_in(entry, rules)).judged
        if (match := match_at(rule, entry, timeline)) is not None
    ]
    return sorted(found, key=lambda match: match.order)


def streams_in(entry: Entry, rules: RuleSet) -> Streams:
    """The streams this entry belongs to; none for a type nobody knows."""
    return streams_of(rules.vocabulary.get(entry.type), entry.data)


def match_at(rule: Rule, trigger: Entry, timeline: Timeline) -> Match | None:
    """Judges ``rule`` as of the trigger's own instant."""
    kind = timeline.plan.vocabulary[trigger.type]
    data = {name: value for name in rule.reads if (value := kind.value(trigger.data, name)) is not None}
    key = str(data.get(rule.key, "")) if rule.key else ""
    answer = rule.condition.holds(AsOf(timeline, trigger.at, data, key, trigger.at))
    if answer is None:
        return None
    end = end_of(rule, key, trigger.at, timeline, trigger.at + 1)
    return Match(rule, key, trigger.at, trigger.uid, data, _evidence(Found(trigger, data), answer), end)


def end_of(rule: Rule, key: str, time: int, timeline: Timeline, since: int) -> int | None:
    """When the match ends: its expiry, or the first instant from ``since`` on at which it is resolved.

    ``since`` is later than ``time`` when it is known that nothing resolved the match before.
    """
    expiry = None if rule.expires is None else time + rule.expires
    if rule.resolves is None:
        return expiry
    resolved = first(rule.resolves.spans(timeline, key, time), since)
    return min((end for end in (expiry, resolved) if end is not None), default=None)


def _evidence(trigger: Found, answer: Iterable[Found]) -> tuple[Found, ...]:
    """The trigger and all that the conditions found, each entry once, in timeline order."""
    merged: dict[str, Found] = {}
    for found in (trigger, *answer):
        known = merged.get(found.entry.uid)
        merged[found.entry.uid] = found if known is None else Found(known.entry, {**known.values, **found.values})
    return tuple(sorted(merged.values(), key=lambda found: (found.entry.at, found.entry.uid)))
