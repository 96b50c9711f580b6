"""States of matters that left their customers' states: a cache in memory, of one partition.

A payment of an invoice that nobody issued, or of one that was closed long ago, goes on from what the matter's history
says. To read that history for every one of them is the square of it; here is what it said last.
"""

from __future__ import annotations

from core.timeline.matters import Matter

MOST = 100_000
"""Of all that is kept, payments, disputes and credits of bills counted: about 20 MiB."""

Name = tuple[str, str]
"""Kind and id."""


class Remembered:
    """By customer, kind and id: an instant (µs), the state by the entries before it, and how much that is."""

    def __init__(self) -> None:
        self._held: dict[str, dict[Name, tuple[int, Matter, int]]] = {}
        self._size = 0

    def before(self, customer: str, kind: str, name: str, instant: int) -> tuple[int, Matter] | None:
        """The state by the entries before an instant no later than this one (µs), and that instant."""
        found = self._held.get(customer, _NOTHING).get((kind, name))
        return None if found is None or found[0] > instant else found[:2]

    def keep(self, customer: str, kind: str, name: str, until: int, matter: object) -> None:
        """The state by the entries before ``until`` (µs). Whoever was not named for longest goes first."""
        assert isinstance(matter, Matter)
        mine, size = self._held.pop(customer, {}), _size(matter)
        known = mine.get((kind, name))
        mine[kind, name] = until, matter, size
        self._held[customer] = mine
        self._size += size - (0 if known is None else known[2])
        while self._size > MOST:
            self.forget(next(iter(self._held)))

    def changed(self, customer: str, since: int) -> None:
        """Something is new at that instant (µs): what may know of it, or should, is void."""
        mine = self._held.get(customer, _NOTHING)
        for name in [name for name, (until, _, _) in mine.items() if until > since]:
            self._size -= mine.pop(name)[2]

    def forget(self, customer: str) -> None:
        """Nothing of the customer's is known any more."""
        self._size -= sum([size for _, _, size in self._held.pop(customer, _NOTHING).values()])

    def clear(self) -> None:
        """Nothing is known of anybody any more."""
        self._held.clear()
        self._size = 0


_NOTHING: dict[Name, tuple[int, Matter, int]] = {}


def _size(matter: Matter) -> int:
    bill = matter.bill
    return 1 if bill is None else 1 + len(bill.paid) + len(bill.disputed) + len(bill.credited)
