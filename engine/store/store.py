"""A partition's local state in RocksDB: a cache of public topics, written only after the commit.

Changes of a unit of work are pending, and reads see them; they reach the database in one write batch when the
transaction is durable, or are dropped. A checkpoint is written with them. There is no write-ahead log: a killed process
loses what was in memory for the last ten seconds or so, and the checkpoint with it. So the database can be behind its
topics, never ahead; and its data may be ahead of its checkpoint, never behind.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from rocksdict import BlockBasedIndexType, BlockBasedOptions, Cache, Options, Rdict, WriteBatch, WriteOptions

from engine.kafka.checkpoint import Checkpoint
from engine.kafka.errors import StoreFailed
from engine.store.write_buffer import WriteBuffer, overlaid

log = structlog.get_logger("engine.store.store")

CACHE_BYTES = 32 * 1024 * 1024
WRITE_BUFFER_BYTES = 16 * 1024 * 1024
PERSIST_SECONDS = 10.0
"""Seconds between two flushes to disk: about that much is read again after a crash."""
BLOOM_BITS = 10

META = "meta"
CHECKPOINT = b"checkpoint"

#: RocksDB's default would be 2 GiB for each database; this one is shared by all of the process.
_shared_cache: list[Cache] = []


class Store:
    """Column families of raw bytes with pending changes on top. A store that an earlier process left is reopened.

    A database that can't be opened, or has other families, is recreated.

    Raises:
        FileExistsError: the directory holds something that is not a RocksDB database.
        KeyError: a family that was not named at the opening.
        StoreFailed: a disk that is full or broken, now or at any later call.
    """

    def __init__(self, directory: Path, families: Iterable[str]) -> None:
        self._directory = directory
        self._broken = directory.with_name(f"{directory.name}.broken")
        self._names = (*families, META)
        self._persisted = -PERSIST_SECONDS
        self._unlogged = WriteOptions()
        self._unlogged.disable_wal = True  # type: ignore[method-assign,assignment]  # a property, whatever its stub says
        try:
            if self._broken.exists() or not self._fits():
                wipe(directory)
                self._broken.unlink(missing_ok=True)
            self._open()
        except FileExistsError:
            raise
        except Exception as error:
            if not _has_room(directory):  # the disk is full, the database is intact
                raise StoreFailed(directory, error) from error
            log.warning("a local store can't be read, it is created again", directory=str(directory), error=str(error))
            wipe(directory)
            try:
                self._open()
            except Exception as again:
                raise StoreFailed(directory, again) from again

    def _fits(self) -> bool:
        """Whether there is a database with just these families."""
        if not _is_database(self._directory):
            return False
        return set(Rdict.list_cf(str(self._directory), _options())) == {"default", *self._names}

    def _open(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        names = self._names
        self._db = Rdict(str(self._directory), _options(), {name: _options() for name in names})
        self._families = {name: self._db.get_column_family(name) for name in names}
        self._handles = {name: self._db.get_column_family_handle(name) for name in names}
        self._pending = {name: WriteBuffer() for name in names}

    def _failed(self, error: Exception) -> StoreFailed:
        """Marks the database as broken: the next start recreates it, as a restart could not read it either."""
        with suppress(OSError):
            self._broken.touch()
        return StoreFailed(self._directory, error)

    def checkpoint(self) -> Checkpoint | None:
        """The checkpoint of what is stored; ``None`` if there is none, or it can't be decoded."""
        held = self._families[META].get(CHECKPOINT)
        return None if held is None else Checkpoint.decode(held)

    def reset(self) -> None:
        """Forget everything."""
        if self._db.latest_sequence_number() == 0:
            self.drop_pending()
            return  # it is new and empty: creating a database takes some tenths of a second
        self.close()
        wipe(self._directory)
        self._open()

    def get(self, family: str, key: bytes) -> bytes | None:
        """The value of a key, pending changes included."""
        changes = self._pending[family].changes
        if key in changes:
            return changes[key]
        try:
            value: bytes | None = self._families[family].get(key)
        except Exception as error:  # rocksdict raises bare Exception
            raise self._failed(error) from error
        return value

    def put(self, family: str, key: bytes, value: bytes) -> None:
        """Set a value, pending."""
        self._pending[family].changes[key] = value

    def delete(self, family: str, key: bytes) -> None:
        """Remove a key, pending; it need not exist."""
        self._pending[family].changes[key] = None

    def update(self, family: str, changes: Mapping[bytes, bytes | None]) -> None:
        """Set values, pending; ``None`` removes a key, which need not exist."""
        self._pending[family].changes.update(changes)

    def scan(self, family: str, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Keys that begin with ``prefix`` and their values, in the order of their bytes, as of the call.

        ``start``: only keys whose rest after the prefix is not below it.
        """
        changed = self._pending[family].below(prefix, start)
        items: Any = self._families[family].items(from_key=prefix + start)  # the iterator sees the database as of now
        return overlaid(self._stored(self._families[family], items, prefix, prefix + start), changed)

    def _stored(self, family: Rdict, items: Any, prefix: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Scan the database without an upper bound in RocksDB's read options: rocksdict frees the bound while the
        iterator still uses it.

        The iterator ends alike at the end of the data and at a block that can't be read: so the end is checked for an
        error.
        """
        last = start
        try:
            for key, value in items:
                if not key.startswith(prefix):
                    return
                last = key
                yield key, value
            end = family.iter()
            end.seek(last)
            if end.valid():
                end.next()
            end.status()
        except Exception as error:  # rocksdict raises bare Exception
            raise self._failed(error) from error

    def flush_pending(self, mark: Checkpoint | None = None) -> None:
        """Write all pending changes at once, with the new checkpoint ``mark``.

        Without one the old checkpoint stays: reading the topics again from there leads to the same state.
        """
        if mark is not None:
            self.put(META, CHECKPOINT, mark.encode())
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
            try:
                self._db.write(batch, self._unlogged)
                if mark is not None and time.monotonic() - self._persisted >= PERSIST_SECONDS:
                    self._persist()
            except Exception as error:  # rocksdict raises bare Exception
                raise self._failed(error) from error

    def _persist(self) -> None:
        """Flush everything to disk, the checkpoint after the data that it covers."""
        assert self._names[-1] == META
        for name in self._names:
            self._families[name].flush(wait=True)
        self._persisted = time.monotonic()

    def drop_pending(self) -> bool:
        """Forget all pending changes; whether there were any."""
        dropped = any(pending.changes for pending in self._pending.values())
        for pending in self._pending.values():
            pending.clear()
        return dropped

    def close(self) -> None:
        """Release the database; pending changes are lost. Repeating it changes nothing."""
        self.drop_pending()
        if self._families:
            self._families.clear()
            self._handles.clear()
            self._db.close()


def _options() -> Options:
    if not _shared_cache:
        _shared_cache.append(Cache(CACHE_BYTES))
    table = BlockBasedOptions()
    table.set_block_cache(_shared_cache[0])
    table.set_bloom_filter(BLOOM_BITS, False)
    table.set_cache_index_and_filter_blocks(True)
    # In small parts: indexes of a megabyte would evict each other from the cache, and be read again for every value.
    table.set_index_type(BlockBasedIndexType.two_level_index_search())
    table.set_partition_filters(True)
    table.set_pin_top_level_index_and_filter(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(1)
    options.set_memtable_prefix_bloom_ratio(0.05)  # most look-ups are for missing keys
    options.set_memtable_whole_key_filtering(True)
    options.set_atomic_flush(True)  # all families reach the disk together, so that no checkpoint is ahead of its data
    return options


#: Files that RocksDB and its binding write, also when killed while a database is created or removed.
_OURS = re.compile(
    r"(CURRENT|IDENTITY|LOCK|LOG(\..*)?|(MANIFEST|OPTIONS)-.*|\d+\.(sst|log|blob)|.*\.dbtmp|rocksdict-config\.json)"
)


def _has_room(directory: Path) -> bool:
    there = next(path for path in (directory, *directory.parents) if path.exists())
    return shutil.disk_usage(there).free > WRITE_BUFFER_BYTES


def _is_database(directory: Path) -> bool:
    return (directory / "CURRENT").exists()


def wipe(directory: Path) -> None:
    """Remove a store. Raises ``FileExistsError`` if the directory holds anything else."""
    if not directory.exists():
        return
    if not all(_OURS.fullmatch(file.name) for file in directory.iterdir()):
        raise FileExistsError(f"{directory} is not a state directory of this engine, and is left as it is")
    shutil.rmtree(directory)


def discard_unused(home: Path, now: float, most_seconds: float) -> None:
    """Remove the stores below ``home`` that were not written to for ``most_seconds``: they may hold deleted data.

    ``now`` in seconds since 1970. Call it before any of them is opened.
    """
    for directory in home.iterdir():
        if _is_database(directory):
            written = max(file.stat().st_mtime for file in directory.iterdir())
            if now - written > most_seconds:
                log.info("a local store was unused for long, it is removed", directory=str(directory))
                wipe(directory)
