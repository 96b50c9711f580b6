"""Closings that close nothing: under another identity the matter stays open (semantics 1.5). They are only counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .entities import may_close
from .event import Entry
from .past import Past
from .rule import RuleSet
from .state import Customer


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An event of this ``type`` can close a matter, and the customer has none that was opened."""

    type: str


def unmatched(customer: Customer, entry: Entry, rules: RuleSet, past: Callable[[str], Past]) -> Iterable[Unmatched]:
    """What is to be said of the entry, before it joins the customer's timeline; ``past`` is asked where that may lack
    what opened the matter.
    """
    kind = rules.vocabulary.get(entry.type)
    role = None if kind is None else kind.entity
    if role is None or role.entity not in rules.plan.entities or not may_close(entry, rules.vocabulary):
        return ()
    matter = entry.data.get(role.id_field)
    if matter is None:
        return ()
    held = customer.timeline
    whole = customer.stale or customer.unjudged or held.is_settled(role.entity, matter)
    timeline = past(customer.id).timeline(rules.plan) if whole else held
    return () if timeline.has_opened(role.entity, matter) else (Unmatched(entry.type),)
