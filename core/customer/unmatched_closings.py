"""Events that close a matter nobody opened: under another identity it stays open (semantics 1.5). Only counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from ..alerts.history import CustomerHistory
from ..rules.ruleset import RuleSet
from ..timeline.entry import FOREVER
from ..timeline.features import Taken
from ..timeline.matters import Matters, MattersOf
from .customer import Customer


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An event of this ``type`` can close a matter, but nobody opened that matter for the customer."""

    type: str


def unmatched(customer: Customer, taken: Taken, rules: RuleSet, history: CustomerHistory) -> Iterable[Unmatched]:
    """One ``Unmatched`` if the entry closes a matter that nobody opened. To be called before the entry is evaluated;
    reads the ``history`` about a matter that the state does not hold.
    """
    if taken.matter is None or not taken.effects.may_close:
        return ()
    kept = next((kept for kept in rules.matters if kept[1].entity == taken.matter[0]), None)
    if kept is None or _was_opened(customer, taken, kept, history):
        return ()
    return (Unmatched(taken.kind.name),)


def _was_opened(customer: Customer, taken: Taken, kept: tuple[int, MattersOf], history: CustomerHistory) -> bool:
    """Whether any entry, this one or another, ever opened the entry's matter. ``kept``: the place and feature of its
    kind.
    """
    assert taken.matter is not None
    (entity, name), (place, feature), derived, at = taken.matter, kept, customer.derived, taken.entry.at
    if derived is not None and not customer.unjudged:
        known = cast(Matters, derived.states[place]).get(name)
        if known is None and at > derived.at:
            known = feature.recalled(name, at, history)
            return taken.effects.opens or (known is not None and known.opened)
        if known is not None:
            return known.opened
    return any(one.effects.opens for one in history.matter(entity, name, FOREVER))
