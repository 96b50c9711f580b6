"""A cache of one partition's customers: whoever had a record just now is likely to have the next one, too.

A customer is decoded from the profile's bytes once and kept as the unit of work left it. Memory is bounded by the sum
of the documents' sizes; the least recently used customer is evicted first.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.customer.customer import Customer

BYTES = 64 * 1024 * 1024
"""Bytes of documents, in all partitions of a worker together; decoded, and with its snapshots, a document takes about
six times as much memory.
"""


class CustomerCache:
    """Decoded customers by id, the least recently used first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[str, tuple[Customer, int]] = {}
        self._size = 0

    def get(self, name: str) -> Customer | None:
        """The customer as of the last unit of work, if cached."""
        held = self._held.get(name)
        return None if held is None else held[0]

    def keep(self, seen: Iterable[tuple[Customer, int]]) -> list[str]:
        """Caches the customers of a unit of work, each with the size of its document in bytes.

        Returns the ids of the customers that were evicted.
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
        """Empties the cache."""
        self._held.clear()
        self._size = 0
