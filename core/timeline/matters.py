"""Matters that open and close: cases, invoices and opportunities, and how they are folded (semantics 1.5).

A matter's state follows from the one before and from its entries of one instant; one that opens and closes in the same
instant is closed. Matters closed for longer than any condition looks back, and those that nobody opened, are dropped
from the state. Their entries are still in the history, and states computed from these may be cached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from .entry import BEFORE_ALL
from .features import Context, Feature, Ref, Taken
from .invoices import Bill, billed

CASE, INVOICE, OPPORTUNITY = "case", "invoice", "opportunity"

FIELDS: Mapping[str, tuple[str, ...]] = {
    CASE: ("category",),
    INVOICE: ("currency", "dueDate", "total"),
    OPPORTUNITY: ("name", "stage"),
}
"""The fields of a matter that a profile shows beside its id."""


class Matter(Struct, frozen=True, gc=False, array_like=True):
    """The state of one matter. ``changed``: the entry that opened it, or closed it if it is closed; ``None``: none so
    far.

    ``opened``: an entry has said that there is such a matter. ``facts``: values of the latest opening, in the order of
    the feature's ``fields``. ``bill``: only of an invoice.
    """

    open: bool
    changed: Ref | None
    opened: bool
    facts: tuple[object, ...] = ()
    bill: Bill | None = None


class Matters(Struct, frozen=True, gc=False, array_like=True):
    """The matters of one kind by id, open and closed ones apart: most conditions ask about open ones.

    The ``closed`` ones are in the order of the last entry about each.
    """

    open: Mapping[str, Matter]
    closed: Mapping[str, Matter]

    def get(self, name: str) -> Matter | None:
        """The matter with that id, if it is kept."""
        return self.open.get(name) or self.closed.get(name)


NO_MATTERS = Matters({}, {})


@dataclass(frozen=True, slots=True)
class MattersOf(Feature):
    """All matters of one kind by id. ``horizon``: how long closed ones are kept (µs); ``fields``: those kept of an
    opening.
    """

    entity: str
    horizon: int
    fields: tuple[str, ...]
    told: tuple[tuple[str, int], ...] = field(init=False, compare=False)
    """The fields that a profile shows, with their positions in a matter's facts."""

    def __post_init__(self) -> None:
        places = tuple((name, self.fields.index(name)) for name in FIELDS[self.entity])
        object.__setattr__(self, "told", places)

    @property
    def name(self) -> object:
        """The kind of matter."""
        return self.entity

    @property
    def streams(self) -> tuple[str, ...]:
        """The stream of that kind."""
        return (self.entity,)

    def empty(self) -> Matters:
        """No matter is known."""
        return NO_MATTERS

    def joined(self, other: Feature) -> Feature:
        """One that keeps as much as both."""
        assert isinstance(other, MattersOf)
        fields = tuple(sorted({*self.fields, *other.fields}))
        return MattersOf(self.entity, max(self.horizon, other.horizon), fields)

    def take(self, state: object, together: Sequence[Taken], context: Context) -> Matters:
        """The matters after the entries of the next instant."""
        at, known = together[0].entry.at, cast(Matters, state)
        opened, closed = dict(known.open), dict(known.closed)
        for name, taken in _by_id(together):
            now = self._go_on(known.get(name) or self.recalled(name, at, context), taken)
            opened.pop(name, None)
            closed.pop(name, None)
            if now.open:
                opened[name] = now
            elif now.changed is not None:
                closed[name] = now
            else:
                context.cache_matter(self.entity, name, at + 1, now)
        self._leave(closed, at - self.horizon)
        return Matters(opened, closed)

    def _leave(self, closed: dict[str, Matter], since: int) -> None:
        """Drops matters from the beginning of ``closed`` up to the first that closed after ``since`` (µs): no condition
        can ask about them.
        """
        over = 0
        for one in closed.values():
            if one.changed is None or one.changed.at > since:
                break
            over += 1
        for name in list(closed)[:over] if over else ():
            del closed[name]

    def recalled(self, name: str, before: int, context: Context) -> Matter | None:
        """The matter as it was before the instant ``before`` (µs), computed from its history; ``None`` without one."""
        since, found = context.cached_matter(self.entity, name, before) or (BEFORE_ALL, None)
        matter, entries = cast(Matter | None, found), context.matter(self.entity, name, before, since)
        if not entries:
            return matter
        if matter is not None and matter.bill is not None:
            matter = replace(matter, bill=matter.bill.copied())
        for _, group in groupby(entries, key=_at):
            matter = self._go_on(matter, list(group), alone=True)
        context.cache_matter(self.entity, name, before, matter)
        return matter

    def _go_on(self, before: Matter | None, taken: Sequence[Taken], *, alone: bool = False) -> Matter:
        """The matter after its entries of one instant. ``alone``: nobody else refers to ``before``."""
        if self.entity == INVOICE:
            return self._as_invoice(before, taken, alone)
        known = before or UNKNOWN
        opening = closing = None
        opened = known.opened
        for one in taken:
            if one.effects.closes:
                closing = one
            elif one.effects.opens:
                opening = one
            opened = opened or one.effects.opens
        facts = known.facts if opening is None else self._facts(opening)
        if closing is not None:
            return Matter(False, closing.ref, opened, facts)
        if opening is not None:
            return Matter(True, opening.ref, True, facts)
        return Matter(known.open, known.changed, opened, facts)

    def _as_invoice(self, before: Matter | None, taken: Sequence[Taken], alone: bool) -> Matter:
        known = before or UNKNOWN
        bill = billed(known.bill or Bill(), taken, alone=alone)
        facts, claimed = known.facts, bill.claim is not None
        if bill.claim is not None and bill.claim.at == taken[0].entry.at:
            facts = next((self._facts(one) for one in taken if one.ref == bill.claim), facts)
        if bill.closed:
            still = known.changed if known.changed is not None and not known.open else taken[-1].ref
            return Matter(False, still, claimed, facts, bill)
        return Matter(claimed, bill.claim, claimed, facts, bill)

    def _facts(self, opening: Taken) -> tuple[object, ...]:
        return tuple([opening.kind.kept(opening.entry.data, name) for name in self.fields])


UNKNOWN = Matter(open=False, changed=None, opened=False)


def _by_id(together: Sequence[Taken]) -> Iterable[tuple[str, Sequence[Taken]]]:
    """The entries by the id of their matter. Only an entry that names a matter is in the stream of its kind."""
    groups: dict[str, list[Taken]] = {}
    for one in together:
        if one.matter is not None:
            groups.setdefault(one.matter[1], []).append(one)
    return groups.items()


def _at(taken: Taken) -> int:
    return taken.entry.at
