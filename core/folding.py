"""The fold: a customer's entries, instant by instant, to what is known of them, the matches, and their ends.

There is no other way of judging: an event in order is folded on, a late one from an earlier state. All entries of an
instant are taken in before any is judged (semantics 1.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from .alert import LABEL, Name
from .conditions import Derived, Found, Now, States, first
from .effects import Effects
from .event import FOREVER, Entry
from .features import Context, Taken
from .rule import Rule
from .ruleset import RuleSet


class Passed(Context, Protocol):
    """What a fold needs of a customer's past, and to whom it shows the states that it passes."""

    def passed(self, derived: Derived) -> None: ...


class Watch:
    """A match whose end is looked for. ``resolved``: when it is, by what is known by now, if nothing happens (µs);
    ``None``: nobody has looked yet.
    """

    __slots__ = ("expires", "key", "resolved", "rule", "time")

    def __init__(self, rule: Rule, key: str, time: int, resolved: int | None = None) -> None:
        self.rule, self.key, self.time, self.resolved = rule, key, time, resolved
        self.expires = FOREVER if rule.expires is None else time + rule.expires

    @property
    def end(self) -> int | None:
        """When it is resolved or expires, whatever is first; ``None``: no end is known yet."""
        end = self.expires if self.resolved is None else min(self.resolved, self.expires)
        return None if end == FOREVER else end

    def is_over(self, at: int) -> bool:
        """Whether it has ended before that instant (µs)."""
        return self.expires < at or (self.resolved is not None and self.resolved < at)

    def look(self, derived: Derived, context: Context) -> None:
        """Looks for the end by what is known, from then on and after its time."""
        if self.rule.resolves is None:
            self.resolved = FOREVER
        else:
            t = max(derived.at, self.time + 1)
            self.resolved = first(self.rule.resolves, Now(derived, context, t, {}, self.key, self.time))


class Match(NamedTuple):
    """A trigger for which its rule's condition holds. ``data``: what the rule reads of it; ``watch`` knows its end."""

    entry: Entry
    data: Mapping[str, object]
    evidence: tuple[Found, ...]
    watch: Watch

    @property
    def name(self) -> Name:
        """That of the alert which it may become."""
        return Name(self.watch.rule.name, self.watch.key, LABEL, bytes.fromhex(self.entry.uid))


Judged = Callable[[int, Rule], bool]
"""Whether triggers of the rule at an instant (µs) are to be judged."""


def every_trigger(_at: int, _rule: Rule) -> bool:
    """All of them."""
    return True


class Folding(NamedTuple):
    """What is folded, and what is asked.

    ``together``: the entries of each instant, in order, later than the base. ``watched``: matches of whatever time
    that had not ended by the base: of one that is later than it the end is looked for from its own time on.
    """

    together: Iterable[Sequence[Taken]]
    judged: Judged = every_trigger
    watched: Sequence[Watch] = ()


class Folded(NamedTuple):
    """The last state, and the matches in the order of decision: by (time, uid, rule)."""

    derived: Derived
    matches: list[Match]


def fold(rules: RuleSet, base: Derived, folding: Folding, past: Passed) -> Folded:
    """Takes in the entries. The ends of what is watched, and of the matches, are as of the last of them."""
    derived, matches, watching = base, list[Match](), dict[str, list[Watch]]()
    for watch in folding.watched:
        watching.setdefault(watch.rule.name, []).append(watch)
        if watch.resolved is None:
            watch.look(base, past)
    for together in folding.together:
        at, effects = together[0].entry.at, [one.effects for one in together]
        derived = Derived(at, _after(rules, derived.states, together, effects, past))
        past.passed(derived)
        if watching:
            _look_again(watching, effects, derived, past)
        for one, effect in zip(together, effects, strict=True):
            for rule in effect.judged:
                match = _match(rule, one, derived, past) if folding.judged(at, rule) else None
                if match is not None:
                    matches.append(match)
                    watching.setdefault(rule.name, []).append(match.watch)
    return Folded(derived, matches)


def instants(entries: Iterable[Taken]) -> Iterator[list[Taken]]:
    """Those of an instant together."""
    together: list[Taken] = []
    for one in entries:
        if together and together[0].entry.at != one.entry.at:
            yield together
            together = []
        together.append(one)
    if together:
        yield together


def _after(
    rules: RuleSet, before: States, together: Sequence[Taken], effects: Sequence[Effects], context: Context
) -> States:
    """What is known once the entries of the next instant are."""
    states, features = list(before), rules.features
    if len(together) == 1:
        for place in effects[0].places:
            states[place] = features[place].take(states[place], together, context)
    else:
        for place in sorted({place for effect in effects for place in effect.places}):
            mine = [one for one, effect in zip(together, effects, strict=True) if place in effect.places]
            states[place] = features[place].take(states[place], mine, context)
    return tuple(states)


def _look_again(
    watching: dict[str, list[Watch]], effects: Sequence[Effects], derived: Derived, context: Context
) -> None:
    """Looks for the ends that the entries of an instant can move; whatever has ended before is watched no longer."""
    for name, watches in watching.items():
        if any(name in effect.ends for effect in effects):
            watches[:] = [watch for watch in watches if not watch.is_over(derived.at)]
            known: dict[str, int | None] = {}
            for watch in watches:
                if watch.key in known and not watch.rule.since_fired:
                    watch.resolved = known[watch.key]
                else:
                    watch.look(derived, context)
                    known[watch.key] = watch.resolved


def _match(rule: Rule, trigger: Taken, derived: Derived, context: Context) -> Match | None:
    entry, kind = trigger.entry, trigger.kind
    data, key = rule.fields_of(entry, kind), rule.key_of(entry, kind)
    answer = rule.condition.holds(Now(derived, context, entry.at, data, key, entry.at))
    if answer is None:
        return None
    watch = Watch(rule, key, entry.at)
    watch.look(derived, context)
    return Match(entry, data, answer, watch)
