"""Closings that close nothing: under another identity the matter stays open (semantics 1.5). They are only counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from .customer import Customer
from .event import FOREVER
from .features import Taken
from .matters import Matters
from .past import Past
from .ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An event of this ``type`` can close a matter, and the customer has none that was opened."""

    type: str


def unmatched(customer: Customer, taken: Taken, rules: RuleSet, past: Past) -> Iterable[Unmatched]:
    """What is to be said of the entry, before it is judged; the ``past`` is asked about a matter that is not known."""
    if taken.matter is None or not taken.effects.may_close:
        return ()
    entity, name = taken.matter
    place = next((place for place, kept in rules.matters if kept.entity == entity), None)
    if place is None:
        return ()
    if customer.derived is not None and not customer.unjudged:
        known = cast(Matters, customer.derived.states[place]).get(name)
        if known is not None:
            return () if known.opened else (Unmatched(taken.kind.name),)
    entries = past.matter(entity, name, FOREVER)
    matched = any(one.effects.opens for one in entries)
    return () if matched else (Unmatched(taken.kind.name),)
