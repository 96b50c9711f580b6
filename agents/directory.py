"""The directory: which identifier belongs to which customer, as every intake knows it, tailed from the identities
topic.

It may lag behind the resolver. Then an event takes the longer way through the links log, or reaches a customer who was
merged away a moment ago and is forwarded: slower, never wrong.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import orjson
import structlog
from aiokafka import TopicPartition

from core.identity.links import Node, root
from engine.kafka.checkpoint import Bounds, Checkpoint
from engine.kafka.limits import Limits
from engine.kafka.reader import reader
from engine.kafka.record import KafkaRecord, end_of
from engine.kafka.sieve import Sieve
from engine.store.store import Store
from engine.transactional.progress import WrittenBefore
from engine.transactional.restore import read_bounds
from schemas.topics import IDENTITIES, KEY_RECORD

from .blocked import BlockedIdentifiers, blocked_in
from .identifiers import Identifiers
from .identity_records import held_in, identity_form
from .key_record import check_key

log = structlog.get_logger("agents.directory")

CACHED = 200_000
"""Identifiers cached in memory, a quarter of a kilobyte each."""
NOBODY = ""
"""The owner of a blocked identifier."""


class Directory:
    """Maps identifiers to customers, in RocksDB with a cache of recent look-ups in memory."""

    def __init__(self, bootstrap: str, identifiers: Identifiers, directory: Path) -> None:
        self._bootstrap = bootstrap
        self._identifiers = identifiers
        self._store = Store(directory, ("identities", "redirects", "blocked"))
        self._recent: dict[str, str] = {}
        self._gone: set[str] = set()
        """Customers who were merged away since: ``_recent`` is out of date for them."""
        self.blocked = BlockedIdentifiers.of(self._store.scan("blocked", b""))
        """The identifiers that are blocked; replaced as a whole, so any thread may read it."""
        self.caught_up = asyncio.Event()

    def customer(self, nodes: Sequence[Node]) -> str | None:
        """The one customer of all ``nodes`` that are not blocked; ``None`` if a node is unknown or they are of
        several.
        """
        found = None
        for node in nodes:
            owner = self._recent.get(node.hash)
            if owner is None or owner in self._gone:
                owner = self._look_up(node.hash)
            if owner == NOBODY:
                continue
            if owner is None or (found is not None and owner != found):
                return None
            found = owner
        return found

    def all_blocked(self, nodes: Sequence[Node]) -> Sequence[tuple[str, int]]:
        """The type of each node and since when it is blocked (µs); empty when any of them is not blocked."""
        found = []
        for node in nodes:
            value = self._store.get("blocked", f"i/{node.hash}".encode())
            if value is None:
                return ()
            found.append((node.type, held_in(value).blocked or 0))
        return found

    def today(self, customer: str) -> str | None:
        """The customer into whom this one was merged, or this one; ``None`` if no customer ever had the id."""
        known = self._store.get("identities", f"c/{customer}".encode())
        return None if known is None else root(customer, self._merged_into)

    def _look_up(self, node_hash: str) -> str | None:
        value = self._store.get("identities", f"i/{node_hash}".encode())
        if value is None:
            return None
        if len(self._recent) >= CACHED:
            self._forget()
        held = held_in(value)
        owner = NOBODY if held.blocked is not None else root(held.customer, self._merged_into)
        self._recent[node_hash] = owner
        return owner

    def _forget(self) -> None:
        self._recent.clear()
        self._gone.clear()

    def _merged_into(self, customer: str) -> str | None:
        """Few customers were merged away: in a column family of their own it is quick to see that one was not."""
        into = self._store.get("redirects", f"c/{customer}".encode())
        return None if into is None else into.decode()

    def learn(self, records: Sequence[KafkaRecord], mark: Checkpoint | None = None) -> None:
        """Applies records of the identities topic; the checkpoint ``mark`` says up to where, once they are stored.

        Raises ``WrongKey``, ``OtherNormalisation``.
        """
        for record in records:
            if not identity_form(record.key, record.value):
                continue
            if record.value is None:
                was_blocked = self._store.get("blocked", record.key) is not None
                for family in ("identities", "redirects", "blocked"):
                    self._store.delete(family, record.key)
                if was_blocked:
                    self.blocked = BlockedIdentifiers.of(self._store.scan("blocked", b""))
                self._forget()
                continue
            if record.key == KEY_RECORD:
                check_key(record.value, self._identifiers)
            if b'"mergedInto":' in record.value:
                if len(self._gone) >= CACHED:
                    self._forget()
                self._store.put("redirects", record.key, orjson.loads(record.value)["mergedInto"].encode())
                self._gone.add(record.key[2:].decode())
            elif b'"blocked":' in record.value:
                self._block(record.key, record.value)
            self._store.put("identities", record.key, record.value)
        self._store.flush_pending(mark)

    def _block(self, key: bytes, value: bytes) -> None:
        """Blocks an identifier; counts it once, also when a reader that starts over reads the record again."""
        self._recent.pop(key[2:].decode(), None)
        if self._store.get("blocked", key) is None:
            self.blocked = self.blocked.with_one(blocked_in(key, value))
        self._store.put("blocked", key, value)

    async def tail(self) -> None:
        """Tails the topic for ever; ``caught_up`` is set at the end that the topic had at the start.

        Foreign records are skipped; the owner of the topic reports them. Raises ``KafkaError`` when the broker refuses,
        ``WrongKey``, ``OtherNormalisation``, ``engine.kafka.mark.Newer``,
        ``engine.transactional.progress.WrittenBefore``.
        """
        partition = TopicPartition(IDENTITIES, 0)
        async with reader(self._bootstrap, isolation_level="read_committed", fetch_max_wait_ms=100) as consumer:
            consumer.assign([partition])
            bounds = await read_bounds(consumer, [partition])
            position = self._resume(bounds, partition)
            consumer.seek(partition, position)
            before: int | None = None
            while True:
                for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
                    position = end_of(records[-1])
                    sieve = Sieve(records)
                    self.learn(list(sieve), Checkpoint(bounds.cluster, {partition: position}, time.time()))
                    before = next((one.offset for one in sieve.foreign if _is_key(one)), before)
                    del records, sieve  # their memory is reserved, and the next fetch may wait for it
                if not self.caught_up.is_set() and await consumer.position(partition) >= bounds.ends[partition]:
                    if before is not None and self._store.get("identities", KEY_RECORD) is None:
                        raise WrittenBefore(IDENTITIES, 0, before)
                    log.info("the directory of identities is up to date", end=bounds.ends[partition])
                    self.caught_up.set()

    def _resume(self, bounds: Bounds, partition: TopicPartition) -> int:
        """The offset from which to resume: after what is stored, if that can be trusted. Raises as ``learn``."""
        cache = self._store.checkpoint()
        if cache is None or cache.unusable(bounds, time.time(), Limits().cache):
            self._store.reset()
            self.blocked = BlockedIdentifiers()
            return bounds.begins[partition]
        if (held := self._store.get("identities", KEY_RECORD)) is not None:
            check_key(held, self._identifiers)
        return cache.offsets[partition]

    def close(self) -> None:
        """Releases the store."""
        self._store.close()


def _is_key(record: KafkaRecord) -> bool:
    return bool(record.key == KEY_RECORD and record.value is not None and identity_form(record.key, record.value))
