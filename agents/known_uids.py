"""Which entries the local store may hold, by their uids: hardly any event is a copy, and a look into the store is dear.

In memory only. What the store held before is read piece by piece, when there is time; until then anything may be
there. Of entries that were erased the uids stay: then the store is asked in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from engine.store.bloom_filter import BloomFilter
from engine.store.store import Store

PIECE = 20_000
"""Keys of the store that are read at once: some ten milliseconds."""


class KnownUids:
    """Those of the entries under ``<customer>/u<uid>`` in a family of the store.

    ``may_hold`` says whether there may be an entry of that uid; ``add``: there are these now.
    """

    may_hold: Callable[[bytes], bool]
    add: Callable[[Iterable[bytes]], None]

    def __init__(self, store: Store, family: str) -> None:
        self._store, self._family = store, family
        self.begin()

    def begin(self) -> None:
        """The store may hold anything, unless it is empty."""
        self._filter = BloomFilter()
        self.may_hold, self.add = _anything, self._filter.add
        self._next: bytes | None = b""
        if next(self._store.scan(self._family, b""), None) is None:
            self._next, self.may_hold = None, self._filter.may_hold

    def read_on(self) -> None:
        """Some more of what the store held is known. Nothing may be pending there."""
        if self._next is None:
            return
        keys = [key for key, _ in islice(self._store.scan(self._family, b"", self._next), PIECE)]
        names = [key.partition(b"/")[2] for key in keys]
        self._filter.add([name[1:] for name in names if name.startswith(b"u")])
        if len(keys) == PIECE:
            self._next = keys[-1]
        else:
            self._next, self.may_hold = None, self._filter.may_hold


def _anything(_uid: bytes) -> bool:
    return True
