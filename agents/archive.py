"""The local mirror of one partition's topics: timeline entries, customers' documents, and their archived alerts.

``profiles`` holds what the topic holds. ``entries`` holds the timeline, all of a customer side by side, under keys that
begin with ``<customer>/``:

- ``e<at><uid>``: the entry (``stored_entry``), in the timeline's order;
- ``u<uid>``: where it stands (``at``), and the matter that it is about, if any;
- ``m<matter>``: something is about that matter: a look-up tells whether there is anything to be read;
- ``m<matter><at><uid>``: this entry is about it;
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


class Place(NamedTuple):
    """Where an entry stands (µs), and the matter that it is about, as ``matter_name`` calls it; empty: none."""

    at: int
    matter: bytes


class Added(msgspec.Struct, frozen=True, gc=False):
    """An entry of the customer ``owner`` as it joins, and as it is ``stored``.

    ``at``: its instant as ``placed`` writes it; ``stood_at``: where it stood until now (µs), if it is not new.
    ``matter``: what ``matter_name`` calls that which it is about; empty: nothing.
    """

    owner: bytes
    uid: bytes
    at: bytes
    stored: bytes
    matter: bytes = b""
    stood_at: int | None = None


class Archive:
    """Implements ``core.customer.arrival.Finder`` on RocksDB; older states are in memory only."""

    def __init__(self, directory: Path) -> None:
        self._store = Store(directory, ("entries", "profiles"))
        self._snapshots = Snapshots()
        self.passed = self._snapshots.passed
        """The fold passed this state: it may be kept."""
        self.remembered = self._snapshots.remembered
        """The latest state of a matter that is at hand, of its entries before an instant (µs), and that instant."""
        self.remember = self._snapshots.remember
        """The state of a matter by its entries before an instant (µs)."""
        self._uids = KnownUids(self._store, "entries")
        self._new: set[bytes] = set()  # uids that are pending

    def checkpoint(self) -> Checkpoint | None:
        """The mark of what is kept."""
        return self._store.checkpoint()

    def reset(self) -> None:
        """Forgets everything."""
        self._store.reset()
        self.opened()

    def opened(self) -> None:
        """What is kept was restored: what is known of it in memory is no longer true."""
        self._snapshots.clear()
        self._uids.begin()

    def flush(self, mark: Checkpoint | None = None) -> None:
        """What is pending is durable on the topics, up to ``mark``: keep it."""
        self._store.flush_pending(mark)
        self._snapshots.written()
        self._uids.add(self._new)
        self._new.clear()

    def read_on(self) -> None:
        """Some more is known of what was kept before. Call it after a ``flush``, now and then."""
        self._uids.read_on()

    def drop(self) -> None:
        """Forgets what is pending, and states that may know of it."""
        self._store.drop_pending()
        self._snapshots.drop()
        self._new.clear()

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

    # --- core.customer.arrival.Finder: entries ------------------------------------------------------------------------

    def find(self, customer: str, uid: str) -> Arrived | None:
        """The entry as it stands."""
        name = bytes.fromhex(uid)
        if name not in self._new and not self._uids.may_hold(name):
            return None
        found = self._find(customer.encode(), name)
        return None if found is None else stored_entry.arrived(found[0], uid, found[1])

    def entry(self, customer: str, at: int, uid: bytes) -> Entry | None:
        """The entry of this uid, without what is asked of copies. It most likely stands at that instant (µs)."""
        owner = customer.encode()
        stored = self._store.get("entries", owner + b"/e" + placed(at) + uid)
        if stored is not None:
            return stored_entry.entry(at, uid.hex(), stored)
        found = self._find(owner, uid)
        return None if found is None else stored_entry.entry(found[0], uid.hex(), found[1])

    def since(self, customer: str, at: int, before: int = FOREVER) -> Sequence[Entry]:
        """The customer's entries from ``at`` on and ``before`` (µs), notes included, in the timeline's order."""
        return [stored_entry.entry(*stored) for stored in self._scan(customer.encode(), at, before)]

    def matter(self, customer: str, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Entry]:
        """The entries about that matter from an instant on and ``before`` another (µs), in the timeline's order."""
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
        """The archived alerts."""
        return [stored_alert.alert(value) for _, value in self._store.scan("entries", b"%s/a" % customer.encode())]

    # --- core.customer.arrival.Finder: states -------------------------------------------------------------------------

    def snapshot(self, customer: str, before: int) -> Derived | None:
        """The nearest state strictly before that instant (µs) that is at hand."""
        return self._snapshots.before(customer, before)

    def changed(self, customer: str, since: int) -> None:
        """States as of ``since`` (µs) or later are void."""
        self._snapshots.changed(customer, since)

    def forget_states(self, customer: str) -> None:
        """No state of the customer's is at hand any more."""
        self._snapshots.forget(customer)

    def forget_all_states(self) -> None:
        """No state of anybody is at hand any more."""
        self._snapshots.clear()

    # --- entries as they are stored ---------------------------------------------------------------------------------

    def add(self, added: Added) -> None:
        """An entry that is new, or stands elsewhere now."""
        owner, uid, matter = added.owner, added.uid, added.matter
        if added.stood_at is not None:
            self._take_away(owner, uid, Place(added.stood_at, matter))
        self._new.add(uid)
        self._put(owner, uid, added.at, added.stored, matter)

    def shippable(self, customer: str) -> list[stored_entry.Shippable]:
        """The customer's entries in their order, to be sent away."""
        return [stored_entry.shippable(uid, stored) for _, uid, stored in self._scan(customer.encode())]

    def erase(self, customer: str) -> None:
        """All entries of the customer left."""
        for key, _ in list(self._store.scan("entries", b"%s/" % customer.encode())):
            self._store.delete("entries", key)
        self._snapshots.forget(customer)

    def mirror(self, key: bytes, record: bytes, matter: bytes = b"", *, stood_elsewhere: bool = False) -> None:
        """A record of the timeline topic, of an entry about that ``matter``.

        ``stood_elsewhere``: an earlier record may have put it at another instant. To look for that every time would
        make a restore slow. Raises ``ValueError`` or ``OverflowError`` for what is no entry.
        """
        owner, uid = _named(key)
        instant, stored = stored_entry.cut(record)
        at = placed(instant)
        if stood_elsewhere:
            self._remove(owner, uid)
        self._put(owner, uid, at, stored, matter)

    def mirror_erased(self, key: bytes) -> None:
        """A tombstone of the timeline topic. Raises ``ValueError`` for the key of no entry."""
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

    def _remove(self, owner: bytes, uid: bytes) -> Place | None:
        """Takes an entry away wherever it stands, and says where that was."""
        place = self._place(owner, uid)
        if place is not None:
            self._take_away(owner, uid, place)
            self._store.delete("entries", b"%s/u%s" % (owner, uid))
        return place

    def _take_away(self, owner: bytes, uid: bytes, place: Place) -> None:
        """The entry stands there no longer."""
        at = placed(place.at)
        self._store.delete("entries", b"%s/e%s%s" % (owner, at, uid))
        if place.matter:
            self._store.delete("entries", _about(owner, place.matter) + at + uid)

    def _place(self, owner: bytes, uid: bytes) -> Place | None:
        found = self._store.get("entries", b"%s/u%s" % (owner, uid))
        return None if found is None else Place(int.from_bytes(found[:AT_BYTES], "big"), found[AT_BYTES:])

    def _find(self, owner: bytes, uid: bytes) -> tuple[int, bytes] | None:
        place = self._place(owner, uid)
        return None if place is None else (place.at, self._stored(owner, place.at, uid))

    def _stored(self, owner: bytes, at: int, uid: bytes) -> bytes:
        found = self._store.get("entries", owner + b"/e" + placed(at) + uid)
        assert found is not None, "what has a place is there"
        return found

    def _scan(self, owner: bytes, at: int = 0, before: int = FOREVER) -> Iterator[tuple[int, str, bytes]]:
        """Instant, uid and what is stored of the entries from ``at`` on and ``before`` (µs)."""
        prefix = b"%s/e" % owner
        place, end = len(prefix), prefix + placed(before)
        for key, stored in self._store.scan("entries", prefix, placed(at)):
            if key >= end:
                return
            yield int.from_bytes(key[place : place + AT_BYTES], "big"), key[place + AT_BYTES :].hex(), stored

    # --- archived alerts --------------------------------------------------------------------------------------------

    def set_closed(self, key: bytes, value: bytes | None) -> None:
        """A record of the topic of notified alerts, ``<customer>/<alert id>``; ``None``: it is archived no longer."""
        owner, slash, name = key.partition(b"/")
        if not owner or not slash:
            raise ValueError("no notified alert has such a key")
        if value is None:
            self._store.delete("entries", b"%s/a%s" % (owner, name))
        else:
            self._store.put("entries", b"%s/a%s" % (owner, name), value)

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


def placed(at: int) -> bytes:
    """An instant (µs) as it stands in keys. Raises ``OverflowError`` for what is none."""
    return at.to_bytes(AT_BYTES, "big")


def matter_name(kind: str, name: str) -> bytes:
    """What a case, an invoice, an opportunity of this id is called here, and in a header of its entries."""
    return f"{kind}/{name}".encode()


def _about(owner: bytes, matter: bytes) -> bytes:
    """With its length before it no matter's key is the beginning of another's."""
    return b"%s/m%s%s" % (owner, len(matter).to_bytes(2, "big"), matter)


def _named_place(key: bytes, place: int) -> tuple[int, bytes]:
    """Instant (µs) and uid in a key behind that place."""
    return int.from_bytes(key[place : place + AT_BYTES], "big"), key[place + AT_BYTES :]


def _named(key: bytes) -> tuple[bytes, bytes]:
    """Customer and uid in a key of the timeline topic."""
    owner, _, name = key.partition(b"/")
    uid = unhexlify(name)
    if len(uid) != UID_BYTES or not owner:
        raise ValueError("no entry has such a key")
    return owner, uid
