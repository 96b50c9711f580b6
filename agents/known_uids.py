"""The uids of the entries in the local store: hardly any event is a copy, and a look-up in the store is expensive.

In memory only. The uids that the store held at the opening are read piece by piece, when there is time; until then any
entry may exist. Uids of deleted entries remain: then a look-up finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from engine.store.bloom_filter import BloomFilter
from engine.store.store import Store

PIECE = 20_000
"""Keys of the store that are read in one go: some ten milliseconds."""


class KnownUids:
    """A filter of the uids of entries under ``<customer>/u<uid>`` in a column family of the store.

    ``may_hold``: whether there may be an entry of that uid; ``add``: adds uids.
    """

    may_hold: Callable[[bytes], bool]
    add: Callable[[Iterable[bytes]], None]

    def __init__(self, store: Store, family: str) -> None:
        self._store, self._family = store, family
        self.begin()

    def begin(self) -> None:
        """Starts over: any entry may exist, unless the store is empty."""
        self._filter = BloomFilter()
        self.may_hold, self.add = _anything, self._filter.add
        self._next: bytes | None = b""
        if next(self._store.scan(self._family, b""), None) is None:
            self._next, self.may_hold = None, self._filter.may_hold

    def load_uids(self) -> None:
        """Reads one more piece of the store's uids. Nothing may be pending in the store."""
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
