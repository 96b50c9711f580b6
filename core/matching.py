"""Matches: what holds about a customer, as a pure function of the timeline (semantics 1.6, 1.7).

``matches`` is the batch definition over a whole history. ``match_at`` judges one trigger and ``end_of`` one match;
the incremental engine calls the same two on the part of the history that it keeps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .bounds import VALUE_BYTES, cut
from .conditions import AsOf, Found
from .event import Entry
from .evidence import evidence
from .rule import Rule, RuleSet
from .spans import first
from .timeline import Streams, Timeline, streams_of

LABEL = "event"
"""The label of a match triggered by an event; a deadline has its own."""


class Match(NamedTuple):
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
    def digest(self) -> str:
        """Eight hex digits that change when the payload as of firing does."""
        names = "\n".join(f"{found.entry.at} {found.entry.uid}" for found in self.evidence)
        return hashlib.sha256(f"{self.rule.version}\n{names}".encode()).hexdigest()[:8]


def alert_id(rule: str, key: str, label: str, uid: str) -> str:
    """The same for everybody who sees this match, whatever happens to the customer's id."""
    return "a_" + hashlib.sha256("\n".join(("alert1", rule, key, label, uid)).encode()).hexdigest()[:26]


class Trigger(NamedTuple):
    """An entry that a rule is judged on, and the key of what would be said."""

    rule: Rule
    entry: Entry
    key: str


def matches(entries: Iterable[Entry], rules: RuleSet) -> list[Match]:
    """Every match in this history, in the order of decision. Nothing here knows of arrival."""
    history = sorted(entries)
    timeline = Timeline.of(rules.plan, history)
    return [match for one in triggers_in(history, rules) if (match := match_at(one, timeline)) is not None]


def triggers_in(history: Iterable[Entry], rules: RuleSet) -> Iterator[Trigger]:
    """All triggers of a history that is sorted, in the order in which matches found together are decided."""
    for entry in history:
        judged = rules.bearing(streams_in(entry, rules)).judged
        if judged:
            yield from triggers_of(entry, judged, rules)


def triggers_of(entry: Entry, judged: Iterable[Rule], rules: RuleSet) -> Iterator[Trigger]:
    """The entry as trigger of these rules."""
    kind = rules.vocabulary[entry.type]
    for rule in judged:
        yield Trigger(rule, entry, _text(kind.value(entry.data, rule.key)) if rule.key else "")


def _text(value: Any) -> str:
    return "" if value is None else cut(str(value), VALUE_BYTES)


def streams_in(entry: Entry, rules: RuleSet) -> Streams:
    """The streams this entry belongs to; none for a type nobody knows."""
    return streams_of(rules.vocabulary.get(entry.type), entry.data)


def is_note(entry: Entry, rules: RuleSet) -> bool:
    """Whether it is an answer to an alert: on the timeline, outside of what is counted and judged."""
    kind = rules.vocabulary.get(entry.type)
    return kind is not None and kind.note


def match_at(trigger: Trigger, timeline: Timeline) -> Match | None:
    """Judges the trigger as of its own instant."""
    rule, entry, key = trigger
    data = rule.fields_of(entry, timeline.plan.vocabulary)
    answer = rule.condition.holds(AsOf(timeline, entry.at, data, key, entry.at))
    if answer is None:
        return None
    end = end_of(rule, key, entry.at, timeline, entry.at + 1)
    return Match(rule, key, entry.at, entry.uid, data, evidence(Found(entry, data), answer), end)


def end_of(rule: Rule, key: str, time: int, timeline: Timeline, since: int) -> int | None:
    """When the match ends: its expiry, or the first instant from ``since`` on at which it is resolved.

    ``since`` is later than ``time`` when it is known that nothing resolved the match before.
    """
    expiry = None if rule.expires is None else time + rule.expires
    if rule.resolves is None:
        return expiry
    resolved = first(rule.resolves.spans(timeline, key, time), since)
    return min((end for end in (expiry, resolved) if end is not None), default=None)
