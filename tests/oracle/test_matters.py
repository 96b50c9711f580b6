"""Matters: at every instant the core has open, closed and overdue what semantics 1.5 says, since what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from hypothesis import given, settings

from core.alerts.history import CustomerHistory, EmptyHistory
from core.alerts.matching import FoldInput, fold
from core.timeline import entry as core
from core.timeline.derived import Derived
from core.timeline.matters import Matters

from .entry import Entry, History
from .matters import cases, invoices, opportunities, overdue
from .tally import compared
from .worlds import EXAMPLES, RULES, SAME_WORLDS, histories

State = dict[tuple[str, str], tuple[bool, str, bool]]
"""By kind and id: open, the entry that opened or closed it, overdue."""


def by_the_oracle(history: History, t: int) -> State:
    late = {invoice.id for invoice in overdue(history, t)}
    every = (*cases(history, t), *invoices(history, t), *opportunities(history, t))
    return {(m.entity, m.id): (m.open, m.changed.uid, m.entity == "invoice" and m.id in late) for m in every}


def by_the_core(history: Sequence[Entry], t: int) -> State:
    """Of what was dropped, the history tells."""
    entries = [core.Entry(*entry) for entry in history if entry.at <= t]
    past = CustomerHistory(EmptyHistory(), "", entries, RULES)
    derived = fold(RULES, Derived(core.BEFORE_ALL, RULES.empty), FoldInput(past.instants(0)), past).derived
    found = {}
    for place, kind in RULES.matters:
        states = cast(Matters, derived.states[place])
        for name in {str(e.data[f"{kind.entity}Id"]) for e in entries if f"{kind.entity}Id" in e.data}:
            matter = states.get(name) or kind.recalled(name, t + 1, past)
            if matter is not None and matter.changed is not None:
                bill = matter.bill
                late = bill is not None and bill.warned is not None and bill.due is not None and t >= bill.due
                found[kind.entity, name] = matter.open, matter.changed.uid.hex(), matter.open and late
    return found


def instants(history: Iterable[Entry]) -> set[int]:
    """Those at which something happens, and the midnights between which something is overdue."""
    named = {core.midnight(e.data["dueDate"]) for e in history if "dueDate" in e.data}
    return {t for at in {e.at for e in history} for t in (at, at - at % core.DAY)} | named


@given(histories())
@settings(max_examples=2 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_what_is_open_closed_and_overdue_is_what_the_semantics_say(history: list[Entry]) -> None:
    known = History(history)
    for t in sorted(instants(history)):
        assert by_the_oracle(known, t) == by_the_core(history, t)
    compared("by their matters", len(history))
