"""Older states of customers, from which a late event is folded again: a cache in memory, of one partition.

Of a customer it holds the two latest states that the fold passed, and older ones the fewer the older they are: of
three in a row the middle one goes when its neighbours lie no further apart than three times the younger neighbour's age
(never less than a second). Of ten years' states that leaves a dozen or two. So an event that is late by more than a
second is folded from a state at most four times as far back, unless nothing happened in between.

What is not here costs time and changes nothing: a customer without states is folded from their first entry.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter

from core.timeline.derived import Derived

from .remembered import Remembered

MOST = 24
"""States of a customer before the surplus ones go: they go several at once, so that it costs little an event."""

SECOND = 1_000_000
"""Of states that are younger, those go that lie closer together than three of it."""

SPREAD = 3
"""How many times as far apart as the younger one is old neighbours may come to lie."""


class Snapshots:
    """States by customer id, each customer's in the order of time.

    ``written``: the unit of work is durable. What was passed or changed in one that is not makes all of it void.
    So it is with what is ``remembered`` of matters that left the states.
    """

    def __init__(self) -> None:
        self._states: dict[str, list[Derived]] = {}
        self._unwritten = False
        self._matters = Remembered()
        self.remembered = self._matters.before

    def before(self, customer: str, instant: int) -> Derived | None:
        """The nearest state strictly before ``instant`` (µs), if there is one."""
        states = self._states.get(customer)
        if not states:
            return None
        place = bisect_left(states, instant, key=_at)
        return states[place - 1] if place else None

    def passed(self, customer: str, derived: Derived) -> None:
        """The fold passed this state; one that is not later than what is kept is known."""
        self._unwritten = True
        states = self._states.get(customer)
        if not states:
            self._states[customer] = [derived]
        elif states[-1].at < derived.at:
            states.append(derived)
            if len(states) > MOST:
                self._states[customer] = thinned(states)

    def remember(self, customer: str, kind: str, name: str, until: int, state: object) -> None:
        """The state of a matter by its entries before ``until`` (µs)."""
        self._unwritten = True
        self._matters.keep(customer, kind, name, until, state)

    def changed(self, customer: str, since: int) -> None:
        """States as of ``since`` (µs) or later are void."""
        self._matters.changed(customer, since)
        states = self._states.get(customer)
        if states:
            self._unwritten = True
            del states[bisect_left(states, since, key=_at) :]

    def forget(self, customer: str) -> None:
        """No state of the customer's is known any more."""
        self._states.pop(customer, None)
        self._matters.forget(customer)

    def written(self) -> None:
        """What was passed and changed is durable."""
        self._unwritten = False

    def drop(self) -> None:
        """What was passed and changed is not durable."""
        if self._unwritten:
            self.clear()

    def clear(self) -> None:
        """No state of anybody is known any more."""
        self._states.clear()
        self._matters.clear()
        self._unwritten = False


_at = attrgetter("at")


def thinned(states: list[Derived]) -> list[Derived]:
    """Those that are left; the first and the last two always are."""
    now = states[-1].at
    left, before, last = states[:1], states[0].at, states[0].at
    for state in states[1:-1]:
        at = state.at
        if len(left) > 1 and at - before <= SPREAD * max(SECOND, now - at):
            left[-1], last = state, at
        else:
            left.append(state)
            before, last = last, at
    left.append(states[-1])
    return left
