"""The local copy of one partition's topics: timeline entries, customers' documents and archived alerts.

The column family ``profiles`` holds what the topic holds. ``entries`` holds the timeline, all keys of a customer side
by side, with the prefix ``<customer>/``:

- ``e<at><uid>``: the entry (``stored_entry``), in the timeline's order;
- ``u<uid>``: the entry's instant (``at``), and its matter, if any;
- ``m<matter>``: there are entries about that matter: a look-up sees whether there is anything to read;
- ``m<matter><at><uid>``: this entry is about that matter;
- ``a<alert id>``: an archived alert (``stored_alert``).

``at`` has 8 bytes (µs, big-endian), ``uid`` 16. Changes are pending until ``flush``.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.alerts.alert import Alert
from core.customer.arrival import Arrived
from core.timeline.derived import Derived
from core.timeline.entry import BEFORE_ALL, FOREVER, Entry
from engine.kafka.checkpoint import Checkpoint
from engine.store.store import META, Store
from schemas.journal import UID_BYTES

from . import stored_alert, stored_entry
from .known_uids import KnownUids
from .snapshots import Snapshots

CLOCK = b"clock"

AT_BYTES = 8


class EntryPlace(NamedTuple):
    """An entry's instant (µs), and its matter as ``matter_name`` writes it (empty: none)."""

    at: int
    matter: bytes


class Added(msgspec.Struct, frozen=True, gc=False):
    """An entry to add to the timeline of the customer ``owner``, encoded as ``stored``.

    ``at``: its instant as ``placed`` writes it; ``moved_from``: its instant until now (µs), if it is not new.
    ``matter``: its matter as ``matter_name`` writes it (empty: none).
    """

    owner: bytes
    uid: bytes
    at: bytes
    stored: bytes
    matter: bytes = b""
    moved_from: int | None = None


class Archive:
    """Implements ``core.customer.arrival.Finder`` on RocksDB; snapshots (older derived states) are in memory only."""

    def __init__(self, directory: Path) -> None:
        self._store = Store(directory, ("entries", "profiles"))
        self._snapshots = Snapshots()
        self.cache_state = self._snapshots.cache_state
        """Offers a derived state that the fold reached, to be kept as a snapshot."""
        self.cached_matter = self._snapshots.cached_matter
        """Looks up the latest cached state of a matter, by its entries before an instant (µs), and that instant."""
        self.cache_matter = self._snapshots.cache_matter
        """Caches the state of a matter, by its entries before an instant (µs)."""
        self._uids = KnownUids(self._store, "entries")
        self._new: set[bytes] = set()  # uids that are pending

    def checkpoint(self) -> Checkpoint | None:
        """The checkpoint of what is stored."""
        return self._store.checkpoint()

    def reset(self) -> None:
        """Forgets everything."""
        self._store.reset()
        self.opened()

    def opened(self) -> None:
        """The store was restored: clears the caches in memory, which are out of date."""
        self._snapshots.clear()
        self._uids.begin()

    def flush(self, mark: Checkpoint | None = None) -> None:
        """Writes the pending changes to the store: they are durable on the topics, up to the checkpoint ``mark``."""
        self._store.flush_pending(mark)
        self._snapshots.written()
        self._uids.add(self._new)
        self._new.clear()

    def load_uids(self) -> None:
        """Reads some more uids of the store into memory. Call it after a ``flush``, now and then."""
        self._uids.load_uids()

    def drop(self) -> None:
        """Drops the pending changes, and snapshots that may include them."""
        self._store.drop_pending()
        self._snapshots.drop()
        self._new.clear()

    def close(self) -> None:
        """Releases the database."""
        self._store.close()

    @property
    def clock(self) -> int:
        """The journal's clock as of what is stored (µs)."""
        return int(self._store.get(META, CLOCK) or 0)

    def set_clock(self, clock: int) -> None:
        """Sets the journal's clock (µs)."""
        self._store.put(META, CLOCK, b"%d" % clock)

    # --- core.customer.arrival.Finder: entries ------------------------------------------------------------------------

    def find(self, customer: str, uid: str) -> Arrived | None:
        """The customer's entry of this uid (hex), if there is one."""
        name = bytes.fromhex(uid)
        if name not in self._new and not self._uids.may_hold(name):
            return None
        found = self._find(customer.encode(), name)
        return None if found is None else stored_entry.arrived(found[0], uid, found[1])

    def entry(self, customer: str, at: int, uid: bytes) -> Entry | None:
        """The entry of this uid, without the fields that only matter for copies. ``at``: its likely instant (µs)."""
        owner = customer.encode()
        stored = self._store.get("entries", owner + b"/e" + placed(at) + uid)
        if stored is not None:
            return stored_entry.entry(at, uid.hex(), stored)
        found = self._find(owner, uid)
        return None if found is None else stored_entry.entry(found[0], uid.hex(), found[1])

    def since(self, customer: str, at: int, before: int = FOREVER) -> Sequence[Entry]:
        """The customer's entries from ``at`` on and before ``before`` (µs), notes included, in the timeline's order."""
        return [stored_entry.entry(*stored) for stored in self._scan(customer.encode(), at, before)]

    def matter(self, customer: str, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Entry]:
        """The entries about a matter, from ``since`` on and before ``before`` (µs), in the timeline's order."""
        owner = customer.encode()
        prefix = _about(owner, matter_name(kind, name))
        if self._store.get("entries", prefix) is None:
            return ()
        found = []
        for key, _ in self._store.scan("entries", prefix, placed(since) if since > 0 else bytes(1)):
            at, uid = _named_place(key, len(prefix))
            if at >= before:
                break
            found.append(stored_entry.entry(at, uid.hex(), self._stored(owner, at, uid)))
        return found

    def archived(self, customer: str) -> Sequence[Alert]:
        """The customer's archived alerts."""
        return [stored_alert.alert(value) for _, value in self._store.scan("entries", b"%s/a" % customer.encode())]

    # --- core.customer.arrival.Finder: states -------------------------------------------------------------------------

    def snapshot(self, customer: str, before: int) -> Derived | None:
        """The latest snapshot strictly before that instant (µs), if there is one."""
        return self._snapshots.before(customer, before)

    def invalidate(self, customer: str, since: int) -> None:
        """Drops the customer's snapshots as of ``since`` (µs) or later."""
        self._snapshots.invalidate(customer, since)

    def forget_states(self, customer: str) -> None:
        """Drops all snapshots of the customer."""
        self._snapshots.forget(customer)

    def forget_all_states(self) -> None:
        """Drops the snapshots of all customers."""
        self._snapshots.clear()

    # --- entries as they are stored ---------------------------------------------------------------------------------

    def add(self, added: Added) -> None:
        """Adds a new entry, or moves one to its new instant."""
        owner, uid, matter = added.owner, added.uid, added.matter
        if added.moved_from is not None:
            self._take_away(owner, uid, EntryPlace(added.moved_from, matter))
        self._new.add(uid)
        self._put(owner, uid, added.at, added.stored, matter)

    def for_move(self, customer: str) -> list[stored_entry.Shippable]:
        """The customer's entries in the timeline's order, to be moved to another customer."""
        return [stored_entry.for_move(uid, stored) for _, uid, stored in self._scan(customer.encode())]

    def erase(self, customer: str) -> None:
        """Deletes all entries of the customer: they were moved away."""
        for key, _ in list(self._store.scan("entries", b"%s/" % customer.encode())):
            self._store.delete("entries", key)
        self._snapshots.forget(customer)

    def mirror(self, key: bytes, record: bytes, matter: bytes = b"", *, stood_elsewhere: bool = False) -> None:
        """Copies a record of the timeline topic, of an entry about ``matter``.

        ``stood_elsewhere``: an earlier record may have put it at another instant. To look for that at every record
        would make a restore slow. Raises ``ValueError`` or ``OverflowError`` if it is no entry.
        """
        owner, uid = _named(key)
        instant, stored = stored_entry.cut(record)
        at = placed(instant)
        if stood_elsewhere:
            self._remove(owner, uid)
        self._put(owner, uid, at, stored, matter)

    def mirror_erased(self, key: bytes) -> None:
        """Applies a tombstone of the timeline topic. Raises ``ValueError`` if the key is no entry's."""
        owner, uid = _named(key)
        place = self._remove(owner, uid)
        if place is None or not place.matter:
            return
        about = _about(owner, place.matter)
        if next(self._store.scan("entries", about, bytes(1)), None) is None:
            self._store.delete("entries", about)

    def _put(self, owner: bytes, uid: bytes, at: bytes, stored: bytes, matter: bytes) -> None:
        place = at + uid
        put: dict[bytes, bytes | None] = {owner + b"/e" + place: stored, owner + b"/u" + uid: at + matter}
        if matter:
            about = _about(owner, matter)
            put[about] = put[about + place] = b""
        self._store.update("entries", put)

    def _remove(self, owner: bytes, uid: bytes) -> EntryPlace | None:
        """Deletes an entry at whatever instant it is; returns that instant and its matter."""
        place = self._place(owner, uid)
        if place is not None:
            self._take_away(owner, uid, place)
            self._store.delete("entries", b"%s/u%s" % (owner, uid))
        return place

    def _take_away(self, owner: bytes, uid: bytes, place: EntryPlace) -> None:
        """Deletes the entry's keys at that place."""
        at = placed(place.at)
        self._store.delete("entries", b"%s/e%s%s" % (owner, at, uid))
        if place.matter:
            self._store.delete("entries", _about(owner, place.matter) + at + uid)

    def _place(self, owner: bytes, uid: bytes) -> EntryPlace | None:
        found = self._store.get("entries", b"%s/u%s" % (owner, uid))
        return None if found is None else EntryPlace(int.from_bytes(found[:AT_BYTES], "big"), found[AT_BYTES:])

    def _find(self, owner: bytes, uid: bytes) -> tuple[int, bytes] | None:
        place = self._place(owner, uid)
        return None if place is None else (place.at, self._stored(owner, place.at, uid))

    def _stored(self, owner: bytes, at: int, uid: bytes) -> bytes:
        found = self._store.get("entries", owner + b"/e" + placed(at) + uid)
        assert found is not None, "an archived entry with a place has a value"
        return found

    def _scan(self, owner: bytes, at: int = 0, before: int = FOREVER) -> Iterator[tuple[int, str, bytes]]:
        """Instant (µs), uid (hex) and stored bytes of the entries from ``at`` on and before ``before`` (µs)."""
        prefix = b"%s/e" % owner
        place, end = len(prefix), prefix + placed(before)
        for key, stored in self._store.scan("entries", prefix, placed(at)):
            if key >= end:
                return
            yield int.from_bytes(key[place : place + AT_BYTES], "big"), key[place + AT_BYTES :].hex(), stored

    # --- archived alerts --------------------------------------------------------------------------------------------

    def set_archived(self, key: bytes, value: bytes | None) -> None:
        """Copies a record of the topic of notified alerts, key ``<customer>/<alert id>``; ``None``: a tombstone."""
        owner, slash, name = key.partition(b"/")
        if not owner or not slash:
            raise ValueError("no notified alert has such a key")
        if value is None:
            self._store.delete("entries", b"%s/a%s" % (owner, name))
        else:
            self._store.put("entries", b"%s/a%s" % (owner, name), value)

    # --- documents --------------------------------------------------------------------------------------------------

    def profile(self, customer: str) -> bytes | None:
        """The customer's record on the profiles topic, state included."""
        return self._store.get("profiles", customer.encode())

    def set_profile(self, customer: str, value: bytes | None) -> None:
        """The customer's new record; ``None`` erases it."""
        if value is None:
            self._store.delete("profiles", customer.encode())
        else:
            self._store.put("profiles", customer.encode(), value)


def placed(at: int) -> bytes:
    """An instant (µs) as 8 bytes of a key. Raises ``OverflowError`` if it does not fit."""
    return at.to_bytes(AT_BYTES, "big")


def matter_name(kind: str, name: str) -> bytes:
    """The name of a matter (a case, an invoice, an opportunity) in keys, and in a header of its entries."""
    return f"{kind}/{name}".encode()


def _about(owner: bytes, matter: bytes) -> bytes:
    """The key of a matter. The length comes first, so that no matter's key is a prefix of another's."""
    return b"%s/m%s%s" % (owner, len(matter).to_bytes(2, "big"), matter)


def _named_place(key: bytes, place: int) -> tuple[int, bytes]:
    """Instant (µs) and uid in a key, from that position on."""
    return int.from_bytes(key[place : place + AT_BYTES], "big"), key[place + AT_BYTES :]


def _named(key: bytes) -> tuple[bytes, bytes]:
    """Customer and uid in a key of the timeline topic. Raises ``ValueError``."""
    owner, _, name = key.partition(b"/")
    uid = unhexlify(name)
    if len(uid) != UID_BYTES or not owner:
        raise ValueError("no entry has such a key")
    return owner, uid
