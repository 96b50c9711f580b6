"""A Bloom filter that grows: of a key it says that it was surely never added, or may have been.

Both bits of a key lie in one word of 64, as RocksDB has it in its own ("blocked" Bloom filter). Keys are added many at
once: one by one that takes twice as long.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import islice
from struct import Struct

FIRST_WORDS = 1 << 15
"""Of the first layer, 256 KiB; each one after it has ``GROWTH`` times as many."""

GROWTH = 4

KEYS_A_WORD = 4
"""So a key takes 16 bits, and of a hundred that were never added two may have been."""


class BloomFilter:
    """Keys of 16 bytes that are uniform, as parts of a digest are."""

    def __init__(self) -> None:
        self._layers: list[tuple[array[int], int]] = []
        self._room = 0
        self._grow()

    def add(self, keys: Iterable[bytes]) -> None:
        """The keys may be there from now on."""
        left = iter(keys)
        while some := tuple(islice(left, self._room)):
            words, mask = self._layers[-1]
            for place, one, other in _PARTS.iter_unpack(b"".join(some)):
                words[place & mask] |= _BITS[one] | _BITS[other]
            self._room -= len(some)
            if not self._room:
                self._grow()

    def may_hold(self, key: bytes) -> bool:
        """Whether the key may have been added."""
        place, one, other = _PARTS.unpack(key)
        bits = _BITS[one] | _BITS[other]
        for words, mask in self._layers:  # noqa: SIM110 -- a generator takes as long again
            if words[place & mask] & bits == bits:
                return True
        return False

    def _grow(self) -> None:
        size = FIRST_WORDS * GROWTH ** len(self._layers)
        self._layers.append((array("Q", bytes(8 * size)), size - 1))
        self._room = KEYS_A_WORD * size


_PARTS = Struct("=QBB6x")
"""Of a key: which word is its own, and two bits of that."""
_BITS = tuple([1 << (byte & 63) for byte in range(256)])
