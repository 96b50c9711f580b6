"""The pending changes of a unit of work, which nobody else may see yet."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

END_OF_GROUP = b"/"


class WriteBuffer:
    """The changes of one column family: ``None`` deletes.

    A key's group is its part before the first slash. A scan sorts the keys of its own group only, and only when needed.
    """

    __slots__ = ("_grouped", "_groups", "changes")

    def __init__(self) -> None:
        self.changes: dict[bytes, bytes | None] = {}
        self._groups: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self._grouped = 0

    def below(self, prefix: bytes, start: bytes = b"") -> list[tuple[bytes, bytes | None]]:
        """The changes of keys that begin with ``prefix`` and whose rest is not below ``start``, in order."""
        if not self.changes:
            return []
        keys = self._group(prefix)
        found = []
        for at in range(bisect_left(keys, prefix + start), len(keys)):
            if not keys[at].startswith(prefix):
                break
            found.append((keys[at], self.changes[keys[at]]))
        return found

    def _group(self, prefix: bytes) -> list[bytes]:
        """All keys that may begin with ``prefix``, in order."""
        group, slash, _ = prefix.partition(END_OF_GROUP)
        if not slash:
            return sorted(self.changes)
        for key in islice(reversed(self.changes), len(self.changes) - self._grouped):  # keys are never removed
            self._groups[key.partition(END_OF_GROUP)[0]].append(key)
        self._grouped = len(self.changes)
        keys = self._groups.get(group, [])
        keys.sort()
        return keys

    def clear(self) -> None:
        """Forget all changes."""
        self.changes.clear()
        self._groups.clear()
        self._grouped = 0


def overlaid(
    stored: Iterator[tuple[bytes, bytes]], changed: list[tuple[bytes, bytes | None]]
) -> Iterator[tuple[bytes, bytes]]:
    """The ``stored`` items with the ``changed`` ones in their place; both in the order of their keys."""
    at = 0
    for key, value in stored:
        while at < len(changed) and changed[at][0] < key:
            if (pending := changed[at][1]) is not None:
                yield changed[at][0], pending
            at += 1
        if at < len(changed) and changed[at][0] == key:
            if (pending := changed[at][1]) is not None:
                yield key, pending
            at += 1
        else:
            yield key, value
    for key, pending in changed[at:]:
        if pending is not None:
            yield key, pending
