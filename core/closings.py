"""Closings that close nothing: under another identity the matter stays open (semantics 1.5). They are only counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from .customer import Customer
from .event import FOREVER
from .features import Taken
from .matters import Matters, may_close, opens
from .past import Past
from .ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An event of this ``type`` can close a matter, and the customer has none that was opened."""

    type: str


def unmatched(customer: Customer, taken: Taken, rules: RuleSet, past: Past) -> Iterable[Unmatched]:
    """What is to be said of the entry, before it is judged; the ``past`` is asked where what is known may lack what
    opened the matter.
    """
    entry, role = taken.entry, taken.kind.entity
    if role is None or not may_close(entry, taken.kind):
        return ()
    matter = entry.data.get(role.id_field)
    place = next((place for place, kept in rules.matters if kept.entity == role.entity), None)
    if matter is None or place is None:
        return ()
    if customer.derived is not None and not customer.unjudged:
        known = cast(Matters, customer.derived.states[place]).get(str(matter))
        if known is not None and known.opened:
            return ()
    entries = past.matter(role.entity, str(matter), FOREVER)
    matched = any(opens(one, rules.vocabulary[one.type]) for one in entries)
    return () if matched else (Unmatched(entry.type),)
