"""Matters: at every instant the core has open, closed and overdue what semantics 1.5 says, since what it says."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings

from core import entities
from core import event as core
from core.timeline import Timeline

from .entry import Entry, History
from .matters import cases, invoices, opportunities, overdue
from .tally import compared
from .worlds import EXAMPLES, RULES, SAME_WORLDS, histories

State = dict[tuple[str, str], tuple[bool, str, bool]]
"""By kind and id: open, the entry that opened or closed it, overdue."""


def by_the_oracle(history: History, t: int) -> State:
    late = {invoice.id for invoice in overdue(history, t)}
    every = (*cases(history, t), *invoices(history, t), *opportunities(history, t))
    return {(m.entity, m.id): (m.open, m.changed.uid, m.entity == entities.INVOICE and m.id in late) for m in every}


def by_the_core(timeline: Timeline, t: int) -> State:
    found = {}
    for entity in (entities.CASE, entities.INVOICE, entities.OPPORTUNITY):
        for name, past in timeline.matters(entity).items():
            matter = entities.as_of(past, t)
            if matter is not None:
                late = matter.open and matter.warned is not None and matter.due is not None and t >= matter.due
                found[entity, name] = matter.open, matter.changed.uid, late
    return found


def instants(history: Iterable[Entry]) -> set[int]:
    """Those at which something happens, and the midnights between which something is overdue."""
    named = {core.midnight(e.data["dueDate"]) for e in history if "dueDate" in e.data}
    return {t for at in {e.at for e in history} for t in (at, at - at % core.DAY)} | named


@given(histories())
@settings(max_examples=2 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_what_is_open_closed_and_overdue_is_what_the_semantics_say(history: list[Entry]) -> None:
    known, timeline = History(history), Timeline.of(RULES.plan, [core.Entry(*entry) for entry in history])
    for t in sorted(instants(history)):
        assert by_the_oracle(known, t) == by_the_core(timeline, t)
    compared("by their matters", len(history))
