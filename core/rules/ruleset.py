"""The rules in force together: which features a fold keeps for them, and what an event means to them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..timeline.derived import States
from ..timeline.entry import Entry
from ..timeline.features import Feature, Taken
from ..timeline.matters import FIELDS, MattersOf
from ..timeline.streams import Streams
from ..timeline.vocabulary import Vocabulary
from .effects import Meaning, RuleEffects
from .rule import Rule


class RuleSet:
    """Rules whose conditions are bound to the features that they ask about, and the vocabulary of their event types.

    ``features``: what is kept, the ``matters`` first, by kind. ``digest``: differs if states and ends that other rules
    left behind are no longer valid. ``longest_cooldown`` in µs.
    """

    def __init__(self, rules: Iterable[Rule], vocabulary: Vocabulary) -> None:
        ordered = sorted(rules, key=lambda rule: rule.name)
        self.vocabulary = vocabulary
        self._kept = _Features(
            [MattersOf(entity, 0, tuple(sorted(fields))) for entity, fields in sorted(FIELDS.items())]
        )
        for rule in ordered:
            for condition in (rule.condition, rule.resolves):
                for feature in () if condition is None else condition.features():
                    self._kept.add(feature)
        self.rules: Mapping[str, Rule] = {rule.name: self._bound(rule) for rule in ordered}
        self.features = self._kept.features
        self.matters = [(place, one) for place, one in enumerate(self.features) if isinstance(one, MattersOf)]
        self.empty: States = tuple(feature.empty() for feature in self.features)
        self.longest_cooldown = max((rule.cooldown for rule in ordered), default=0)
        self._meanings = {name: Meaning(kind, self._effects) for name, kind in vocabulary.items() if not kind.note}
        told = [
            (rule.name, rule.when, rule.key, rule.condition, rule.resolves, rule.expires, rule.cooldown)
            for rule in ordered
        ]
        kinds = [vocabulary[name] for name in sorted(vocabulary)]
        self.digest = hashlib.sha256(repr((told, self.features, kinds)).encode()).hexdigest()[:8]

    def taken(self, entry: Entry) -> Taken | None:
        """The entry as the fold reads it; ``None`` for a note and for an unknown type."""
        meaning = self._meanings.get(entry.type)
        return None if meaning is None else meaning.taken(entry)

    def _effects(self, streams: Streams) -> RuleEffects:
        own = set(streams)
        places = tuple(place for place, one in enumerate(self.features) if not own.isdisjoint(one.streams))
        judged = tuple(rule for rule in self.rules.values() if not own.isdisjoint(rule.when))
        ends = frozenset(rule.name for rule in self.rules.values() if not own.isdisjoint(rule.ended_by))
        return RuleEffects(places, judged, ends)

    def _bound(self, rule: Rule) -> Rule:
        resolves = None if rule.resolves is None else rule.resolves.bound(self._kept)
        return replace(rule, condition=rule.condition.bound(self._kept), resolves=resolves)


class _Features:
    """Features by their names; those of the same name are joined into one."""

    def __init__(self, features: Iterable[Feature]) -> None:
        self._places: dict[object, int] = {}
        self.features: list[Feature] = []
        for feature in features:
            self.add(feature)

    def add(self, feature: Feature) -> None:
        place = self._places.setdefault(feature.name, len(self.features))
        if place == len(self.features):
            self.features.append(feature)
        else:
            self.features[place] = self.features[place].joined(feature)

    def place(self, feature: Feature) -> int:
        return self._places[feature.name]

    def feature(self, feature: Feature) -> Feature:
        return self.features[self._places[feature.name]]
