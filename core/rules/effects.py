"""What an event means for the rules in force, found once for each event type and for which of its conditions hold."""

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
    """What events of certain streams mean: the ``places`` that take them in, the rules that they trigger, and the names
    of those of which they can end a match, or move its end.
    """

    places: tuple[int, ...]
    judged: tuple[Rule, ...]
    ends: frozenset[str]


@dataclass(frozen=True, slots=True)
class Effects:
    """What an event means. ``places``, ``judged``, ``ends``: as its streams' ``RuleEffects``; ``any``: whether somebody
    looks at it.

    ``contact``, which its own outcome ``answered``; the customer ``engaged``. By itself it ``opens`` or ``closes`` its
    matter, or ``may_close`` one that others opened.
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
    """What an event of a type says, as far as it decides what it means: whether it is ``about`` a matter, and which of
    the type's conditions hold. An answer is one to its own contact; ``closed``: so does its matter.
    """

    about: bool
    outbound: bool
    answered: bool
    engaged: bool
    closes: bool


class Meaning:
    """What events of one type mean: worked out once for all that they may say."""

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
        """The others hold always, or never."""
        self._effects: dict[tuple[bool, ...], Effects] = {}
        for about, *answers in product((False, True), repeat=1 + len(self._asked)):
            left = iter(answers)
            facts = EventFacts(about, *[next(left) if when else when is not None for when in conditions])
            self._effects[about, *answers] = _effects(kind, facts, found)

    def taken(self, entry: Entry) -> Taken:
        """The entry, of this type, as it is folded. Raises ``ValueError`` if its uid is not hexadecimal."""
        kind, data = self._kind, entry.data
        matter = matter_of(kind, data) if self._has_matter else None
        if self._asked:
            effects = self._effects[matter is not None, *[kind.holds(when, data) for when in self._asked]]
        else:
            effects = self._effects[(matter is not None,)]
        return Taken(entry, kind, effects, matter, Ref(entry.at, bytes.fromhex(entry.uid)))


def _effects(kind: EventType, facts: EventFacts, effects_of: Callable[[Streams], RuleEffects]) -> Effects:
    """Of events of this type that say so."""
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
