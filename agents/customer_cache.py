"""The customers of one partition whom a worker has just dealt with: they are likely to be next, too.

A customer is decoded from the profile's bytes once and kept as the unit of work left it. Memory is bounded by the sum
of the documents' sizes; whoever was not seen for longest goes first.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.customer.customer import Customer

BYTES = 64 * 1024 * 1024
"""Of documents, in all partitions of a worker together; decoded, and with older states beside it (``snapshots``), one
takes about six times as much memory.
"""


class CustomerCache:
    """Decoded customers by id, the longest unseen first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[str, tuple[Customer, int]] = {}
        self._size = 0

    def get(self, name: str) -> Customer | None:
        """The customer as of the last unit of work, if still known."""
        held = self._held.get(name)
        return None if held is None else held[0]

    def keep(self, seen: Iterable[tuple[Customer, int]]) -> list[str]:
        """These have just been dealt with. With each the size of the document in bytes.

        Returns the ids of those who are known no longer.
        """
        held, size = self._held, self._size
        for customer, weight in seen:
            known = held.pop(customer.id, None)
            size += weight - (0 if known is None else known[1])
            held[customer.id] = customer, weight
        gone = []
        while size > self._most:
            oldest = next(iter(held))
            size -= held.pop(oldest)[1]
            gone.append(oldest)
        self._size = size
        return gone

    def forget(self) -> None:
        """Nobody is known any more."""
        self._held.clear()
        self._size = 0
