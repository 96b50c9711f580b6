"""A partition's local state in RocksDB: a cache of public topics, written only after the commit.

Changes of a unit of work are kept apart (pending) and read through; they reach the database in one write batch when
the transaction is durable, or are dropped. The database can be behind its topics, never ahead.
"""

from __future__ import annotations

import shutil
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from rocksdict import BlockBasedOptions, Cache, Options, Rdict, WriteBatch, WriteOptions

CACHE_BYTES = 32 * 1024 * 1024
WRITE_BUFFER_BYTES = 16 * 1024 * 1024
BLOOM_BITS = 10

#: RocksDB's default would be 2 GiB for each database; this one is shared by all of the process.
_shared_cache: list[Cache] = []


class Store:
    """Column families of raw bytes with pending changes on top. Rebuilt at each open, for now: the directory is wiped.

    Raises:
        FileExistsError: the directory holds something that is not a RocksDB database.
        KeyError: a family that was not named at the opening.
    """

    def __init__(self, directory: Path, families: Iterable[str]) -> None:
        _wipe(directory)
        directory.mkdir(parents=True)
        names = tuple(families)
        self._db = Rdict(str(directory), _options(), {name: _options() for name in names})
        self._families = {name: self._db.get_column_family(name) for name in names}
        self._handles = {name: self._db.get_column_family_handle(name) for name in names}
        self._pending = {name: _Pending() for name in names}
        self._unlogged = WriteOptions()
        self._unlogged.disable_wal = True  # type: ignore[method-assign,assignment]  # a property, whatever its stub says

    def get(self, family: str, key: bytes) -> bytes | None:
        """The value as this unit of work sees it."""
        changes = self._pending[family].changes
        if key in changes:
            return changes[key]
        value: bytes | None = self._families[family].get(key)
        return value

    def put(self, family: str, key: bytes, value: bytes) -> None:
        """Set a value, pending."""
        self._pending[family].set(key, value)

    def delete(self, family: str, key: bytes) -> None:
        """Remove a key, pending; it need not exist."""
        self._pending[family].set(key, None)

    def scan(self, family: str, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Keys that begin with ``prefix`` and their values, in the order of their bytes, as of the call."""
        changed = self._pending[family].below(prefix)
        return _merge(_stored(self._families[family], prefix), changed)

    def flush_pending(self) -> None:
        """Write all pending changes at once."""
        batch = WriteBatch(raw_mode=True)
        for family, pending in self._pending.items():
            handle = self._handles[family]
            for key, value in pending.changes.items():
                if value is None:
                    batch.delete(key, handle)
                else:
                    batch.put(key, value, handle)
            pending.clear()
        if not batch.is_empty():
            self._db.write(batch, self._unlogged)

    def drop_pending(self) -> None:
        """Forget all pending changes."""
        for pending in self._pending.values():
            pending.clear()

    def close(self) -> None:
        """Release the database; pending changes are lost. Repeating it changes nothing."""
        self.drop_pending()
        if self._families:
            self._families.clear()
            self._handles.clear()
            self._db.close()


class _Pending:
    """Changes of one family: ``None`` deletes. Keys are sorted only when they are scanned."""

    __slots__ = ("_sorted", "changes")

    def __init__(self) -> None:
        self.changes: dict[bytes, bytes | None] = {}
        self._sorted: list[bytes] = []

    def set(self, key: bytes, value: bytes | None) -> None:
        self.changes[key] = value

    def below(self, prefix: bytes) -> list[tuple[bytes, bytes | None]]:
        keys = self._sorted
        if len(keys) != len(self.changes):  # keys are only ever added: the new ones are the last of the dict
            keys.extend(list(self.changes)[len(keys) :])
            keys.sort()
        found = []
        for at in range(bisect_left(keys, prefix), len(keys)):
            if not keys[at].startswith(prefix):
                break
            found.append((keys[at], self.changes[keys[at]]))
        return found

    def clear(self) -> None:
        self.changes.clear()
        self._sorted.clear()


def _merge(
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


def _stored(family: Rdict, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    """No upper bound in RocksDB's read options: rocksdict frees it while the iterator still looks at it."""
    items: Any = family.items(from_key=prefix)  # the iterator sees the database as of now
    return takewhile(lambda item: item[0].startswith(prefix), items)


def _options() -> Options:
    if not _shared_cache:
        _shared_cache.append(Cache(CACHE_BYTES))
    table = BlockBasedOptions()
    table.set_block_cache(_shared_cache[0])
    table.set_bloom_filter(BLOOM_BITS, False)
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(1)
    return options


def _wipe(directory: Path) -> None:
    if not directory.exists():
        return
    if any(directory.iterdir()) and not (directory / "CURRENT").exists():
        raise FileExistsError(f"{directory} is not a state directory of this engine: it is left alone")
    shutil.rmtree(directory)
