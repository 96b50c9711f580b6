"""Snapshots: older derived states of customers, from which a late event is folded again. A cache in memory, of one
partition.

For each customer it holds the two latest states that the fold reached, and older ones ever more sparsely: of three in a
row the middle one goes when its neighbours are no further apart than three times the younger neighbour's age (never
less than a second). Ten years of states thin to a dozen or two. So an event that is late by more than a second is
folded from a state at most four times as far back, unless nothing happened in between.

A missing snapshot costs time and changes no result: a customer without any is folded from their first entry.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter

from core.timeline.derived import Derived

from .matter_cache import MatterCache

MOST = 24
"""Snapshots of a customer above which they are thinned: several go at once, so that it costs little per event."""

SECOND = 1_000_000
"""A second (µs): the age that younger states count as when they are thinned."""

SPREAD = 3
"""How far apart the neighbours of a removed state may be, in multiples of the younger neighbour's age."""


class Snapshots:
    """Snapshots by customer id, each customer's in the order of time.

    After an aborted unit of work (``drop`` without ``written``) all snapshots are void if it added or changed any. So
    are the cached states of matters (``remembered``).
    """

    def __init__(self) -> None:
        self._states: dict[str, list[Derived]] = {}
        self._unwritten = False
        self._matters = MatterCache()
        self.cached_matter = self._matters.before

    def before(self, customer: str, instant: int) -> Derived | None:
        """The latest snapshot strictly before ``instant`` (µs), if there is one."""
        states = self._states.get(customer)
        if not states:
            return None
        place = bisect_left(states, instant, key=_at)
        return states[place - 1] if place else None

    def cache_state(self, customer: str, derived: Derived) -> None:
        """Adds a state that the fold reached, if it is later than the latest snapshot."""
        self._unwritten = True
        states = self._states.get(customer)
        if not states:
            self._states[customer] = [derived]
        elif states[-1].at < derived.at:
            states.append(derived)
            if len(states) > MOST:
                self._states[customer] = thinned(states)

    def cache_matter(self, customer: str, kind: str, name: str, until: int, state: object) -> None:
        """Caches the state of a matter by its entries before ``until`` (µs)."""
        self._unwritten = True
        self._matters.keep(customer, kind, name, until, state)

    def invalidate(self, customer: str, since: int) -> None:
        """Drops the customer's states as of ``since`` (µs) or later."""
        self._matters.invalidate(customer, since)
        states = self._states.get(customer)
        if states:
            self._unwritten = True
            del states[bisect_left(states, since, key=_at) :]

    def forget(self, customer: str) -> None:
        """Drops all states of the customer."""
        self._states.pop(customer, None)
        self._matters.forget(customer)

    def written(self) -> None:
        """The unit of work is durable."""
        self._unwritten = False

    def drop(self) -> None:
        """The unit of work was aborted."""
        if self._unwritten:
            self.clear()

    def clear(self) -> None:
        """Drops all states of all customers."""
        self._states.clear()
        self._matters.clear()
        self._unwritten = False


_at = attrgetter("at")


def thinned(states: list[Derived]) -> list[Derived]:
    """Thins the snapshots; the first and the last two always remain."""
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
