"""Matters that open and close: cases, invoices, opportunities, as they are folded (semantics 1.5).

A matter's state follows from the one before and from its entries of one instant; one that opens and closes in the same
instant is closed. Those that are closed for longer than anybody looks back, and those that nobody opened, are dropped;
the history knows them still, and what it said of one may be remembered outside of the state.
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
"""What people are told of a matter beside its id."""


class Matter(Struct, frozen=True, gc=False, array_like=True):
    """``changed`` opened it, or closed it when it is closed; ``None``: nothing did yet.

    ``opened``: somebody said that there is such a matter. ``facts``: values of the latest opening, in the order of the
    feature's ``fields``. ``bill``: of an invoice.
    """

    open: bool
    changed: Ref | None
    opened: bool
    facts: tuple[object, ...] = ()
    bill: Bill | None = None


class Matters(Struct, frozen=True, gc=False, array_like=True):
    """Those of a kind by id, open and closed ones apart: most questions are about what is open.

    The ``closed`` ones stand in the order in which something was last said of them.
    """

    open: Mapping[str, Matter]
    closed: Mapping[str, Matter]

    def get(self, name: str) -> Matter | None:
        """The one of that id, if it is kept."""
        return self.open.get(name) or self.closed.get(name)


NO_MATTERS = Matters({}, {})


@dataclass(frozen=True, slots=True)
class MattersOf(Feature):
    """All of one kind by id. ``horizon`` (µs): so long a closed one is kept; ``fields``: so much of an opening."""

    entity: str
    horizon: int
    fields: tuple[str, ...]
    told: tuple[tuple[str, int], ...] = field(init=False, compare=False)
    """Which of the facts people are told, and where they are."""

    def __post_init__(self) -> None:
        places = tuple((name, self.fields.index(name)) for name in FIELDS[self.entity])
        object.__setattr__(self, "told", places)

    @property
    def name(self) -> object:
        """The kind."""
        return self.entity

    @property
    def streams(self) -> tuple[str, ...]:
        """That of the kind."""
        return (self.entity,)

    def empty(self) -> Matters:
        """None is known."""
        return NO_MATTERS

    def joined(self, other: Feature) -> Feature:
        """What keeps as much as both."""
        assert isinstance(other, MattersOf)
        fields = tuple(sorted({*self.fields, *other.fields}))
        return MattersOf(self.entity, max(self.horizon, other.horizon), fields)

    def take(self, state: object, together: Sequence[Taken], context: Context) -> Matters:
        """Each of those that the entries name goes on."""
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
                context.remember(self.entity, name, at + 1, now)
        self._leave(closed, at - self.horizon)
        return Matters(opened, closed)

    def _leave(self, closed: dict[str, Matter], since: int) -> None:
        """Of what was closed up to that instant (µs), and before all that is not, nothing can be asked."""
        over = 0
        for one in closed.values():
            if one.changed is None or one.changed.at > since:
                break
            over += 1
        for name in list(closed)[:over] if over else ():
            del closed[name]

    def recalled(self, name: str, before: int, context: Context) -> Matter | None:
        """The matter as it was before that instant (µs), by its history; ``None`` if there was none."""
        since, found = context.remembered(self.entity, name, before) or (BEFORE_ALL, None)
        matter, entries = cast(Matter | None, found), context.matter(self.entity, name, before, since)
        if not entries:
            return matter
        if matter is not None and matter.bill is not None:
            matter = replace(matter, bill=matter.bill.copied())
        for _, group in groupby(entries, key=_at):
            matter = self._go_on(matter, list(group), alone=True)
        context.remember(self.entity, name, before, matter)
        return matter

    def _go_on(self, before: Matter | None, taken: Sequence[Taken], *, alone: bool = False) -> Matter:
        """``alone``: nobody else has the one before."""
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
    """Only what names a matter reaches the stream of its kind."""
    groups: dict[str, list[Taken]] = {}
    for one in together:
        if one.matter is not None:
            groups.setdefault(one.matter[1], []).append(one)
    return groups.items()


def _at(taken: Taken) -> int:
    return taken.entry.at
