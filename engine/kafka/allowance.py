"""How much memory of this process what was unpacked may take, whoever reads it, in whatever thread."""

from __future__ import annotations

from threading import RLock


class Allowance:
    """At most ``most`` bytes are held at a time, but for one reader that always may go on.

    Who wants to unpack asks for ``room`` first and comes back later if there is none; what is unpacked is ``held``
    until it is released, or nobody has it any more.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._used = 0
        self._lock = RLock()  # a Hold may be collected while its own thread counts

    @property
    def used(self) -> int:
        """Bytes that are held now."""
        return self._used

    def room(self, size: int) -> bool:
        """Whether ``size`` bytes may be unpacked now."""
        return not self._used or self._used + size <= self.most

    def hold(self, size: int) -> Hold:
        """Count ``size`` bytes, which there are already."""
        return Hold(self, size)

    def count(self, size: int) -> None:
        """Add to what is held; a ``Hold`` does so."""
        with self._lock:
            self._used += size


class Hold:
    """Some bytes that are held. It lets go at the latest when it is collected."""

    __slots__ = ("_allowance", "size")

    def __init__(self, allowance: Allowance, size: int) -> None:
        self._allowance = allowance
        self.size = size
        allowance.count(size)

    def release(self) -> None:
        """Let go. Repeating it changes nothing."""
        size, self.size = self.size, 0
        if size:
            self._allowance.count(-size)

    def __del__(self) -> None:
        self.release()
