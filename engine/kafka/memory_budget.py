"""Limits the memory of this process that decompressed records take, whoever reads them, in whatever thread."""

from __future__ import annotations

from threading import RLock


class MemoryBudget:
    """A memory budget of ``most`` bytes, exceeded only so that one reader can always go on.

    A reader asks whether there is room before it decompresses, and retries later if there is none. The result is
    counted by a ``Reservation`` until it is released, or garbage collected.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._used = 0
        self._lock = RLock()  # a Reservation may be collected while its own thread counts

    @property
    def used(self) -> int:
        """Bytes that are reserved now."""
        return self._used

    def has_room(self, size: int) -> bool:
        """Whether ``size`` bytes may be decompressed now."""
        return not self._used or self._used + size <= self.most

    def reserve(self, size: int) -> Reservation:
        """Reserve ``size`` bytes, which are allocated already."""
        return Reservation(self, size)

    def count(self, size: int) -> None:
        """Add bytes to the reservation, or remove them; only ``Reservation`` calls it."""
        with self._lock:
            self._used += size


class Reservation:
    """A reservation of some bytes. It is released at the latest when it is collected."""

    __slots__ = ("_budget", "size")

    def __init__(self, budget: MemoryBudget, size: int) -> None:
        self._budget = budget
        self.size = size
        budget.count(size)

    def release(self) -> None:
        """Release the bytes. Repeating it changes nothing."""
        size, self.size = self.size, 0
        if size:
            self._budget.count(-size)

    def __del__(self) -> None:
        self.release()
