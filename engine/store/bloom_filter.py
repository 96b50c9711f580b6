"""A growing Bloom filter: it says that a key was surely never added, or may have been.

Both bits of a key lie in one 64-bit word, as in RocksDB's own "blocked" Bloom filter. Keys are added in bulk: one by
one takes twice as long.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import islice
from struct import Struct

FIRST_WORDS = 1 << 15
"""Words of the first layer, 256 KiB; each later layer has ``GROWTH`` times as many as the one before."""

GROWTH = 4

KEYS_A_WORD = 4
"""Keys per word: a key takes 16 bits, and two of a hundred that were never added are false positives."""


class BloomFilter:
    """A filter of keys of 16 bytes that are uniformly distributed, like parts of a digest."""

    def __init__(self) -> None:
        self._layers: list[tuple[array[int], int]] = []
        self._room = 0
        self._grow()

    def add(self, keys: Iterable[bytes]) -> None:
        """Add keys."""
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
        for words, mask in self._layers:  # noqa: SIM110 -- a generator takes twice as long
            if words[place & mask] & bits == bits:
                return True
        return False

    def _grow(self) -> None:
        size = FIRST_WORDS * GROWTH ** len(self._layers)
        self._layers.append((array("Q", bytes(8 * size)), size - 1))
        self._room = KEYS_A_WORD * size


_PARTS = Struct("=QBB6x")
"""The parts of a key: its word, and two bits in that word."""
_BITS = tuple([1 << (byte & 63) for byte in range(256)])
