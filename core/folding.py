"""The fold: a customer's entries, instant by instant, to what is known of them, the matches, and their ends.

There is no other way of judging: an event in order is folded on, a late one from an earlier state. All entries of an
instant are taken in before any is judged (semantics 1.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from .alert import LABEL, Name
from .conditions import Derived, Found, Now, States, first
from .event import FOREVER, Entry
from .features import Context, Recall, Taken
from .rule import Rule
from .ruleset import Effects, RuleSet


class Passed(Protocol):
    """What a fold needs of a customer's past, and to whom it shows the states that it passes."""

    @property
    def matter(self) -> Recall: ...
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


@dataclass(slots=True)
class Folding:
    """What is folded, in order and later than the base, and what is asked. ``watched``: matches of before the base that
    had not ended by then; ``later``: others, by the instants from which on they are watched.
    """

    entries: Sequence[Entry]
    judged: Judged = every_trigger
    watched: list[Watch] = field(default_factory=list)
    later: Mapping[int, Sequence[Watch]] = field(default_factory=dict)


class Folded(NamedTuple):
    """The last state, and the matches in the order of decision: by (time, uid, rule)."""

    derived: Derived
    matches: list[Match]


def fold(rules: RuleSet, base: Derived, folding: Folding, past: Passed) -> Folded:
    """Takes in the entries. The ends of what is watched, and of the matches, are as of the last of them."""
    derived, matches = base, list[Match]()
    watched = list(folding.watched)
    context = Context(rules.vocabulary, past.matter)
    for watch in watched:
        if watch.resolved is None:
            watch.look(base, context)
    for together in instants(rules, folding.entries):
        at, effects = together[0].entry.at, [rules.effects(one.streams) for one in together]
        derived = Derived(at, _take(rules, derived.states, together, effects, context))
        watched = [watch for watch in watched if not watch.is_over(at)]
        for watch in watched:
            if any(watch.rule.name in one.ends for one in effects):
                watch.look(derived, context)
        for watch in folding.later.get(at, ()):
            watch.look(derived, context)
            watched.append(watch)
        for one, effect in zip(together, effects, strict=True):
            for rule in effect.judged:
                match = _match(rule, one, derived, context) if folding.judged(at, rule) else None
                if match is not None:
                    matches.append(match)
                    watched.append(match.watch)
        past.passed(derived)
    return Folded(derived, matches)


def instants(rules: RuleSet, entries: Iterable[Entry]) -> Iterator[list[Taken]]:
    """The entries that rules or the profile look at, those of an instant together."""
    together: list[Taken] = []
    for entry in entries:
        one = rules.taken(entry)
        if one is None:
            continue
        if together and together[0].entry.at != entry.at:
            yield together
            together = []
        together.append(one)
    if together:
        yield together


def _take(
    rules: RuleSet, states: States, together: Sequence[Taken], effects: Sequence[Effects], context: Context
) -> States:
    places = effects[0].places if len(effects) == 1 else sorted({place for one in effects for place in one.places})
    if not places:
        return states
    found = list(states)
    for place in places:
        mine = [one for one, effect in zip(together, effects, strict=True) if place in effect.places]
        found[place] = rules.features[place].take(found[place], mine, context)
    return tuple(found)


def _match(rule: Rule, trigger: Taken, derived: Derived, context: Context) -> Match | None:
    entry = trigger.entry
    data, key = rule.fields_of(entry, context.vocabulary), rule.key_of(entry, context.vocabulary)
    answer = rule.condition.holds(Now(derived, context, entry.at, data, key, entry.at))
    if answer is None:
        return None
    watch = Watch(rule, key, entry.at)
    watch.look(derived, context)
    return Match(entry, data, answer, watch)
