"""States of matters that left their customers' derived states: a cache in memory, of one partition.

A payment of an invoice that nobody issued, or that was closed long ago, continues from the matter's history. To read
that history at every such payment takes quadratic time; the cache holds the state that it led to last.
"""

from __future__ import annotations

from core.timeline.matters import Matter

MOST = 100_000
"""Cached states at most, plus payments, disputes and credits of their bills: about 20 MiB."""

MatterName = tuple[str, str]
"""Kind and id."""


class MatterCache:
    """By customer, kind and id: an instant (µs), the state by the entries before it, and its weight (see ``MOST``)."""

    def __init__(self) -> None:
        self._held: dict[str, dict[MatterName, tuple[int, Matter, int]]] = {}
        self._size = 0

    def before(self, customer: str, kind: str, name: str, instant: int) -> tuple[int, Matter] | None:
        """The cached state, by the entries before an instant no later than ``instant`` (µs), and that instant."""
        found = self._held.get(customer, _NOTHING).get((kind, name))
        return None if found is None or found[0] > instant else found[:2]

    def keep(self, customer: str, kind: str, name: str, until: int, matter: object) -> None:
        """Caches the state by the entries before ``until`` (µs). The least recently cached customer goes first."""
        assert isinstance(matter, Matter)
        mine, size = self._held.pop(customer, {}), _size(matter)
        known = mine.get((kind, name))
        mine[kind, name] = until, matter, size
        self._held[customer] = mine
        self._size += size - (0 if known is None else known[2])
        while self._size > MOST:
            self.forget(next(iter(self._held)))

    def invalidate(self, customer: str, since: int) -> None:
        """The customer's timeline changed at ``since`` (µs): drops the states that include that instant."""
        mine = self._held.get(customer, _NOTHING)
        for name in [name for name, (until, _, _) in mine.items() if until > since]:
            self._size -= mine.pop(name)[2]

    def forget(self, customer: str) -> None:
        """Drops the customer's states."""
        self._size -= sum([size for _, _, size in self._held.pop(customer, _NOTHING).values()])

    def clear(self) -> None:
        """Drops all states."""
        self._held.clear()
        self._size = 0


_NOTHING: dict[MatterName, tuple[int, Matter, int]] = {}


def _size(matter: Matter) -> int:
    bill = matter.bill
    return 1 if bill is None else 1 + len(bill.paid) + len(bill.disputed) + len(bill.credited)
