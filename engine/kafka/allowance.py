"""Limits the memory of this process that decompressed records take, whoever reads them, in whatever thread."""

from __future__ import annotations

from threading import RLock


class Allowance:
    """A memory budget of ``most`` bytes, exceeded only so that one reader can always go on.

    A reader asks for ``room`` before it decompresses and retries later if there is none. The result is reserved by a
    ``Hold`` until it is released, or garbage collected.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._used = 0
        self._lock = RLock()  # a Hold may be collected while its own thread counts

    @property
    def used(self) -> int:
        """Bytes that are reserved now."""
        return self._used

    def room(self, size: int) -> bool:
        """Whether ``size`` bytes may be decompressed now."""
        return not self._used or self._used + size <= self.most

    def hold(self, size: int) -> Hold:
        """Reserve ``size`` bytes, which are allocated already."""
        return Hold(self, size)

    def count(self, size: int) -> None:
        """Add bytes to the reservation, or remove them; only ``Hold`` calls it."""
        with self._lock:
            self._used += size


class Hold:
    """A reservation of some bytes. It is released at the latest when it is collected."""

    __slots__ = ("_allowance", "size")

    def __init__(self, allowance: Allowance, size: int) -> None:
        self._allowance = allowance
        self.size = size
        allowance.count(size)

    def release(self) -> None:
        """Release the bytes. Repeating it changes nothing."""
        size, self.size = self.size, 0
        if size:
            self._allowance.count(-size)

    def __del__(self) -> None:
        self.release()
