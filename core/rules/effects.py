"""What an event means to the rules in force, computed once for each event type and combination of its conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from ..timeline.entry import Entry
from ..timeline.features import Ref, Taken
from ..timeline.invoices import CREDIT, OVERDUE, PAYMENT
from ..timeline.streams import CONTACT, ENGAGED, Streams, matter_of
from ..timeline.vocabulary import EventType
from .rule import Rule


@dataclass(frozen=True, slots=True)
class RuleEffects:
    """What events of certain streams mean. ``places``: the features that read them. ``judged``: the rules that they
    trigger. ``ends``: the names of the rules whose matches they can end, or whose ends they can move.
    """

    places: tuple[int, ...]
    judged: tuple[Rule, ...]
    ends: frozenset[str]


@dataclass(frozen=True, slots=True)
class Effects:
    """What an event means. ``places``, ``judged``, ``ends``: the ``RuleEffects`` of its streams. ``any``: whether a
    feature or a rule reads it.

    ``contact``: it is an outbound contact; ``answered``: by its own outcome; ``engaged``: the customer engaged.
    ``opens``, ``closes``: what it does to its matter by itself; ``may_close``: it can close a matter that others
    opened.
    """

    places: tuple[int, ...]
    judged: tuple[Rule, ...]
    ends: frozenset[str]
    any: bool
    contact: bool
    answered: bool
    engaged: bool
    opens: bool
    closes: bool
    may_close: bool


class EventFacts(NamedTuple):
    """The facts of an event that decide what it means. ``about``: it names a matter. The others: which of its type's
    conditions hold; ``answered`` is about its own contact, ``closes`` about its own matter.
    """

    about: bool
    outbound: bool
    answered: bool
    engaged: bool
    closes: bool


class Meaning:
    """What events of one type mean, computed ahead for every combination of their facts."""

    __slots__ = ("_asked", "_effects", "_has_matter", "_kind")

    def __init__(self, kind: EventType, found: Callable[[Streams], RuleEffects]) -> None:
        self._kind, self._has_matter = kind, kind.entity is not None
        conditions = (
            kind.outbound,
            kind.answered,
            kind.engaged,
            None if kind.entity is None else kind.entity.closes_when,
        )
        self._asked = tuple([when for when in conditions if when])
        """The conditions that depend on the event; the others hold always, or never."""
        self._effects: dict[tuple[bool, ...], Effects] = {}
        for about, *answers in product((False, True), repeat=1 + len(self._asked)):
            left = iter(answers)
            facts = EventFacts(about, *[next(left) if when else when is not None for when in conditions])
            self._effects[about, *answers] = _effects(kind, facts, found)

    def taken(self, entry: Entry) -> Taken:
        """The entry, of this type, as the fold reads it. Raises ``ValueError`` if its uid is not hexadecimal."""
        kind, data = self._kind, entry.data
        matter = matter_of(kind, data) if self._has_matter else None
        if self._asked:
            effects = self._effects[matter is not None, *[kind.holds(when, data) for when in self._asked]]
        else:
            effects = self._effects[(matter is not None,)]
        return Taken(entry, kind, effects, matter, Ref(entry.at, bytes.fromhex(entry.uid)))


def _effects(kind: EventType, facts: EventFacts, effects_of: Callable[[Streams], RuleEffects]) -> Effects:
    """The effects of events of this type with these facts."""
    found = effects_of(_streams(kind, facts))
    closes = facts.about and _closes(kind, facts)
    return Effects(
        found.places,
        found.judged,
        found.ends,
        any=bool(found.places or found.judged),
        contact=facts.outbound,
        answered=facts.answered,
        engaged=facts.engaged,
        opens=facts.about and _opens(kind, facts),
        closes=closes,
        may_close=facts.about and _may_close(kind, closes=closes),
    )


def _streams(kind: EventType, facts: EventFacts) -> Streams:
    """The streams that an event belongs to."""
    found = [kind.name]
    if facts.about and kind.entity is not None:
        found.append(kind.entity.entity)
    if facts.outbound:
        found.append(CONTACT)
    if facts.engaged:
        found.append(ENGAGED)
    return tuple(found)


def _opens(kind: EventType, facts: EventFacts) -> bool:
    """Whether the event says that there is such a matter, open or not."""
    role = kind.entity
    if role is None:
        return False
    moves_on = role.closes_when is not None and not facts.closes
    return role.role == "opens" or moves_on or kind.name == OVERDUE


def _closes(kind: EventType, facts: EventFacts) -> bool:
    """Whether the event closes a case or an opportunity by itself."""
    role = kind.entity
    return role is not None and (role.role == "closes" or facts.closes)


def _may_close(kind: EventType, *, closes: bool) -> bool:
    """Whether the event can close a matter that others opened."""
    role = kind.entity
    if role is None or role.role == "opens":
        return False
    return closes or kind.name in (PAYMENT, CREDIT)
