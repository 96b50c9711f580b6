"""What a unit of work has changed and nobody else may see yet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator


class Pending:
    """Changes of one family: ``None`` deletes. Keys are sorted only when they are scanned."""

    __slots__ = ("_sorted", "changes")

    def __init__(self) -> None:
        self.changes: dict[bytes, bytes | None] = {}
        self._sorted: list[bytes] = []

    def below(self, prefix: bytes, start: bytes = b"") -> list[tuple[bytes, bytes | None]]:
        keys = self._sorted
        if len(keys) != len(self.changes):  # keys are only ever added: the new ones are the last of the dict
            keys.extend(list(self.changes)[len(keys) :])
            keys.sort()
        found = []
        for at in range(bisect_left(keys, prefix + start), len(keys)):
            if not keys[at].startswith(prefix):
                break
            found.append((keys[at], self.changes[keys[at]]))
        return found

    def clear(self) -> None:
        self.changes.clear()
        self._sorted.clear()


def overlaid(
    stored: Iterator[tuple[bytes, bytes]], changed: list[tuple[bytes, bytes | None]]
) -> Iterator[tuple[bytes, bytes]]:
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
