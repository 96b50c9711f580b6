"""The fold of a customer's entries, instant by instant: it yields the customer's state, the matches, and their ends.

Rules are evaluated in no other way: an event in order extends the fold, a late one repeats it from an earlier state.
All entries of an instant are applied before any of them is evaluated (semantics 1.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from ..rules.conditions.condition import Evidence, Now, first
from ..rules.rule import Rule
from ..rules.ruleset import RuleSet
from ..timeline.derived import Derived, States
from ..timeline.entry import FOREVER, Entry
from ..timeline.features import Context, Taken
from .alert import LABEL, Name


class FoldHistory(Context, Protocol):
    """What a fold reads of a customer's history, and where it reports the states that it passes."""

    def cache_state(self, derived: Derived) -> None: ...


class MatchEnd:
    """A match whose end is looked for. ``resolved``: when it will be resolved if no further entry comes, as far as is
    known (µs); ``None``: not computed yet.
    """

    __slots__ = ("expires", "key", "resolved", "rule", "time")

    def __init__(self, rule: Rule, key: str, time: int, resolved: int | None = None) -> None:
        self.rule, self.key, self.time, self.resolved = rule, key, time, resolved
        self.expires = FOREVER if rule.expires is None else time + rule.expires

    @property
    def end(self) -> int | None:
        """When it is resolved or expires, whichever is first (µs); ``None``: no end is known yet."""
        end = self.expires if self.resolved is None else min(self.resolved, self.expires)
        return None if end == FOREVER else end

    def ended_before(self, at: int) -> bool:
        """Whether it ended before the instant ``at`` (µs)."""
        return self.expires < at or (self.resolved is not None and self.resolved < at)

    def find_end(self, derived: Derived, context: Context) -> None:
        """Computes the end from the state ``derived``: no earlier than that state, and after the match's own time."""
        if self.rule.resolves is None:
            self.resolved = FOREVER
        else:
            t = max(derived.at, self.time + 1)
            self.resolved = first(self.rule.resolves, Now(derived, context, t, {}, self.key, self.time))


class Match(Struct, frozen=True):
    """A trigger for which its rule's condition holds. ``data``: its fields that the rule reads. ``match_end`` knows the
    end.
    """

    entry: Entry
    data: Mapping[str, object]
    evidence: tuple[Evidence, ...]
    match_end: MatchEnd

    @property
    def name(self) -> Name:
        """The name of the alert that it may become."""
        return Name(self.match_end.rule.name, self.match_end.key, LABEL, bytes.fromhex(self.entry.uid))


TriggerFilter = Callable[[int, Rule, str], bool]
"""Whether to evaluate a trigger, given its instant (µs), its rule and its instance key."""


def every_trigger(_at: int, _rule: Rule, _key: str) -> bool:
    """Always true: every trigger is evaluated."""
    return True


class FoldInput(Struct, frozen=True):
    """The input of a fold.

    ``together``: the entries of each instant, in order, later than the base. ``judged``: which triggers are evaluated.
    ``watched``: matches of any time that had not ended by the base, at least those whose ends the entries can move; for
    a match later than the base, the end is looked for from its own time on.
    """

    together: Iterable[Sequence[Taken]]
    judged: TriggerFilter = every_trigger
    watched: Iterable[MatchEnd] = ()


def fold(rules: RuleSet, base: Derived, folding: FoldInput, history: FoldHistory) -> Fold:
    """Applies the entries. Afterwards the ends of watched and of found matches are as of the last entry."""
    found = Fold(rules, base, folding.watched, history)
    for together in folding.together:
        found.take(together, folding.judged)
    return found


class Fold:
    """A fold in progress: the latest state, and the ``matches`` so far in the order of decision: by (time, uid, rule).

    ``watched``: as in ``FoldInput``. The ends of these, and of the matches, are as of the latest state.
    """

    __slots__ = ("_features", "_history", "_watching", "derived", "matches")

    def __init__(self, rules: RuleSet, base: Derived, watched: Iterable[MatchEnd], history: FoldHistory) -> None:
        self.derived = base
        self.matches: list[Match] = []
        self._features, self._history = rules.features, history
        self._watching: dict[str, list[MatchEnd]] = {}
        for match_end in watched:
            self._watch(match_end)
            if match_end.resolved is None:
                match_end.find_end(base, history)

    def take(self, together: Sequence[Taken], judged: TriggerFilter) -> None:
        """Applies the entries of the next instant, in order, then evaluates the triggers that ``judged`` selects."""
        history = self._history
        derived = self.derived = Derived(together[0].entry.at, self._after(together))
        history.cache_state(derived)
        if self._watching:
            self._recompute_ends(together)
        for one in together:
            for rule in one.effects.judged:
                match = _match(rule, one, derived, history, judged)
                if match is not None:
                    self.matches.append(match)
                    self._watch(match.match_end)

    def _watch(self, match_end: MatchEnd) -> None:
        self._watching.setdefault(match_end.rule.name, []).append(match_end)

    def _after(self, together: Sequence[Taken]) -> States:
        """The states after the entries of the next instant."""
        states, features, history = list(self.derived.states), self._features, self._history
        if len(together) == 1:
            for place in together[0].effects.places:
                states[place] = features[place].take(states[place], together, history)
        else:
            for place in sorted({place for one in together for place in one.effects.places}):
                mine = [one for one in together if place in one.effects.places]
                states[place] = features[place].take(states[place], mine, history)
        return tuple(states)

    def _recompute_ends(self, together: Sequence[Taken]) -> None:
        """Computes again the ends that the entries of an instant can move; drops watches that ended before it."""
        derived, history = self.derived, self._history
        ends = together[0].effects.ends.union(*[one.effects.ends for one in together[1:]])
        for name, match_ends in self._watching.items():
            if name in ends:
                match_ends[:] = [match_end for match_end in match_ends if not match_end.ended_before(derived.at)]
                known: dict[str, int | None] = {}
                for match_end in match_ends:
                    if match_end.key in known and not match_end.rule.since_fired:
                        match_end.resolved = known[match_end.key]
                    else:
                        match_end.find_end(derived, history)
                        known[match_end.key] = match_end.resolved


def instants(entries: Iterable[Taken]) -> Iterator[list[Taken]]:
    """Groups entries, which come in timeline order, by instant."""
    together: list[Taken] = []
    for one in entries:
        if together and together[0].entry.at != one.entry.at:
            yield together
            together = []
        together.append(one)
    if together:
        yield together


def _match(rule: Rule, trigger: Taken, derived: Derived, context: Context, judged: TriggerFilter) -> Match | None:
    entry, data = trigger.entry, rule.fields_of(trigger.entry, trigger.kind)
    key = rule.key_of(data)
    if not judged(entry.at, rule, key):
        return None
    answer = rule.condition.holds(Now(derived, context, entry.at, data, key, entry.at))
    if answer is None:
        return None
    match_end = MatchEnd(rule, key, entry.at)
    match_end.find_end(derived, context)
    return Match(entry, data, answer, match_end)
