"""The local mirror of one partition's public topics: timeline entries and customers' documents.

``entries`` and ``profiles`` are what the topics hold; ``order`` finds a customer's entries by time. It is the past that
``core.journey`` asks for. Changes are pending until ``flush``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from core.arrival import Arrived
from core.event import Entry
from core.past import Past
from engine.checkpoint import Checkpoint
from engine.store import META, Store
from schemas import instant

from .messages import entry_at

CLOCK = b"clock"

LONG = 1_000
"""A past of so many entries is kept from one unit of work to the next, because it takes long to read."""


class Archive:
    """Implements ``core.arrival.History`` on RocksDB. Of long pasts ``most`` entries are kept in memory."""

    def __init__(self, directory: Path, most: int) -> None:
        self._store = Store(directory, ("entries", "order", "profiles"))
        self._most = most
        self._pasts: dict[str, Past] = {}
        """The longest unasked first."""

    def checkpoint(self) -> Checkpoint | None:
        """The mark of what is kept."""
        return self._store.checkpoint()

    def reset(self) -> None:
        """Forgets everything."""
        self._store.reset()
        self._pasts.clear()

    def flush(self, mark: Checkpoint | None = None) -> None:
        """What is pending is durable on the topics, up to ``mark``: keep it."""
        self._store.flush_pending(mark)
        self._pasts = self._long()

    def _long(self) -> dict[str, Past]:
        """The long ones of the pasts, as many as may be kept."""
        kept: dict[str, Past] = {}
        size = 0
        for customer, past in reversed(self._pasts.items()):
            if len(past.entries) >= LONG and size + len(past.entries) <= self._most:
                kept[customer] = past
                size += len(past.entries)
        return dict(reversed(kept.items()))

    def drop(self) -> None:
        """Forgets what is pending, and the pasts that know of it."""
        if self._store.drop_pending():
            self._pasts.clear()

    def close(self) -> None:
        """Releases the database."""
        self._store.close()

    @property
    def clock(self) -> int:
        """The journal's clock as of what is kept (µs)."""
        return int(self._store.get(META, CLOCK) or 0)

    def set_clock(self, clock: int) -> None:
        """How far the journal's clock has come (µs)."""
        self._store.put(META, CLOCK, b"%d" % clock)

    # --- core.arrival.History ---------------------------------------------------------------------------------------

    def find(self, customer: str, uid: str) -> Arrived | None:
        """The entry as it stands."""
        value = self._store.get("entries", f"{customer}/{uid}".encode())
        return None if value is None else _held(uid, value)

    def past(self, customer: str) -> Past:
        """All of the customer, as of now; read once in a unit of work, long ones once in many."""
        known = self._pasts.pop(customer, None)
        if known is None:
            known = Past(self._entries(customer))
        self._pasts[customer] = known
        return known

    def since(self, customer: str, at: int) -> Sequence[Entry]:
        """The customer's entries from that instant on (µs), in the timeline's order."""
        known = self._pasts.get(customer)
        return self._entries(customer, at) if known is None else known.since(at)

    def _entries(self, customer: str, at: int = 0) -> list[Entry]:
        return [_held(key.rpartition(b"/")[2].decode(), value).entry for key, value in self.stored(customer, at)]

    # --- entries ----------------------------------------------------------------------------------------------------

    def stored(self, customer: str, at: int = 0) -> list[tuple[bytes, bytes]]:
        """Keys and values on the timeline topic of the customer's entries from ``at`` on (µs), in their order."""
        prefix = f"{customer}/".encode()
        found = []
        for order, _ in self._store.scan("order", prefix, at.to_bytes(8, "big")):
            key = prefix + order[len(prefix) + 9 :]
            value = self._store.get("entries", key)
            if value is not None and order == _place(key, value):
                found.append((key, value))
        return found

    def add(self, customer: str, entry: Entry, key: bytes, value: bytes, stood_at: int | None = None) -> None:
        """An entry, as it goes to the timeline topic; ``stood_at``: where it stood until now (µs), if it is not new."""
        self._store.put("entries", key, value)
        self._store.put("order", _order_key(customer.encode(), entry.at, entry.uid.encode()), b"")
        if stood_at is not None:
            self._store.delete("order", _order_key(customer.encode(), stood_at, entry.uid.encode()))
            self._pasts.pop(customer, None)
        elif customer in self._pasts:
            self._pasts[customer].add(entry)

    def erase(self, customer: str, entries: Sequence[tuple[bytes, bytes]]) -> None:
        """Entries that left, as ``stored`` gave them."""
        self._pasts.pop(customer, None)
        for key, value in entries:
            self.mirror_entry(key, None, value)

    def mirror_entry(self, key: bytes, value: bytes | None, known: bytes | None = None) -> None:
        """A record of the timeline topic; ``known`` is what a tombstone erases, if that is at hand.

        An entry that is written again may leave its old place in the order behind, which ``stored`` passes over: to
        look for it would make a restore many times slower. Raises ``ValueError`` for what is no entry.
        """
        if value is not None:
            place = _place(key, value)
            self._store.put("entries", key, value)
            self._store.put("order", place, b"")
            return
        known = known or self._store.get("entries", key)
        if known is not None:
            self._store.delete("order", _place(key, known))
        self._store.delete("entries", key)

    # --- documents --------------------------------------------------------------------------------------------------

    def profile(self, customer: str) -> bytes | None:
        """The customer's record on the profiles topic."""
        return self._store.get("profiles", customer.encode())

    def set_profile(self, customer: str, value: bytes | None) -> None:
        """The customer's new record; ``None`` erases it."""
        if value is None:
            self._store.delete("profiles", customer.encode())
        else:
            self._store.put("profiles", customer.encode(), value)


def _place(key: bytes, value: bytes) -> bytes:
    """Where a record of the timeline topic stands in the order."""
    customer, _, uid = key.partition(b"/")
    return _order_key(customer, entry_at(value), uid)


def _order_key(customer: bytes, at: int, uid: bytes) -> bytes:
    return b"%s/%s/%s" % (customer, at.to_bytes(8, "big"), uid)


def _held(uid: str, value: bytes) -> Arrived:
    held = orjson.loads(value)["data"]
    event = held["event"]
    entry = Entry(held["at"], uid, event["type"], event["source"], event["id"], event["data"])
    return Arrived(entry, instant.parse(event["time"]))
