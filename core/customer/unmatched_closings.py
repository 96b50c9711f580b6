"""Closings that close nothing: under another identity the matter stays open (semantics 1.5). They are only counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from ..alerts.past import Past
from ..rules.ruleset import RuleSet
from ..timeline.entry import FOREVER
from ..timeline.features import Taken
from ..timeline.matters import Matters, MattersOf
from .customer import Customer


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An event of this ``type`` can close a matter, and the customer has none that was opened."""

    type: str


def unmatched(customer: Customer, taken: Taken, rules: RuleSet, past: Past) -> Iterable[Unmatched]:
    """What is to be said of the entry, before it is judged; the ``past`` is asked about a matter that is not known."""
    if taken.matter is None or not taken.effects.may_close:
        return ()
    kept = next((kept for kept in rules.matters if kept[1].entity == taken.matter[0]), None)
    if kept is None or _was_opened(customer, taken, kept, past):
        return ()
    return (Unmatched(taken.kind.name),)


def _was_opened(customer: Customer, taken: Taken, kept: tuple[int, MattersOf], past: Past) -> bool:
    """Whether an entry, this one or another, ever opened the matter that it is about. ``kept``: where its kind is."""
    assert taken.matter is not None
    (entity, name), (place, feature), derived, at = taken.matter, kept, customer.derived, taken.entry.at
    if derived is not None and not customer.unjudged:
        known = cast(Matters, derived.states[place]).get(name)
        if known is None and at > derived.at:
            known = feature.recalled(name, at, past)
            return taken.effects.opens or (known is not None and known.opened)
        if known is not None:
            return known.opened
    return any(one.effects.opens for one in past.matter(entity, name, FOREVER))
