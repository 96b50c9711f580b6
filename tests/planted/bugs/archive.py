"""Bugs of the local store of entries, of what is cut for it, and of older states."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "an-entry-stands-at-two-instants",
        "An entry stands where it did and where an earlier copy puts it.",
        "agents/archive.py",
        """\
        if added.moved_from is not None:
            self._take_away(owner, uid, EntryPlace(added.moved_from, matter))
""",
        "",
        (checks.EARLIER_PLACE, checks.EARLIER_ENTRY),
    ),
    Bug(
        "an-entry-restored-to-two-instants",
        "After a restore an entry stands where it did and where an earlier copy has put it.",
        "agents/archive.py",
        """\
        if stood_elsewhere:
            self._remove(owner, uid)
""",
        "",
        (checks.RESTORED_ENTRY, checks.EARLIER_ENTRY),
    ),
    Bug(
        "a-matters-entry-that-was-erased",
        "An entry that was erased, or stands earlier now, is still said to be about its matter.",
        "agents/archive.py",
        """\
        if place.matter:
            self._store.delete("entries", _about(owner, place.matter) + at + uid)
""",
        "",
        (checks.EARLIER_PLACE,),
    ),
    Bug(
        "the-first-erased-entry-takes-its-matter-along",
        "One entry of a matter is erased, and the others are not found any more.",
        "agents/archive.py",
        """        if next(self._store.scan("entries", about, bytes(1)), None) is None:\n""",
        """        if next(self._store.scan("entries", about, bytes(1)), None) is not None:\n""",
        (checks.MATTER_LEFT,),
    ),
    Bug(
        "tombstones-ignored-at-a-restore",
        "What was erased from the timeline is there again after a restore.",
        "agents/archive.py",
        """\
        place = self._remove(owner, uid)
        if place is None""",
        """\
        place = self._place(owner, uid)
        if place is None""",
        (checks.RESTORED_ENTRY, checks.MOVED_AWAY),
    ),
    Bug(
        "a-merge-leaves-the-index-behind",
        "Of a customer who moved away the store still says where their entries stood.",
        "agents/archive.py",
        """self._store.scan("entries", b"%s/" % customer.encode())""",
        """self._store.scan("entries", b"%s/e" % customer.encode())""",
        (checks.ARCHIVE,),
    ),
    Bug(
        "a-matter-whose-name-begins-with-anothers",
        "What is about case K1 is about case K, too.",
        "agents/archive.py",
        """    return b"%s/m%s%s" % (owner, len(matter).to_bytes(2, "big"), matter)\n""",
        """    return b"%s/m%s%s" % (owner, bytes(2), matter)\n""",
        (checks.MATTER_NAMES, checks.ARCHIVE),
    ),
    Bug(
        "a-matters-past-with-the-instant-itself",
        "What is about a matter before an instant holds what happened at it.",
        "agents/archive.py",
        "            if at >= before:\n",
        "            if at > before:\n",
        (checks.ARCHIVE,),
    ),
    Bug(
        "an-event-that-speaks-like-the-bus",
        "An event's own field called received is taken for where the bus's words begin.",
        "agents/stored_entry.py",
        "record[record.index(_RECEIVED, end) + 11 : -2]\n",
        "record[record.rindex(_RECEIVED, end) + 11 : -2]\n",
        (checks.ARCHIVE,),
    ),
    Bug(
        "a-moved-event-written-anew",
        "A merge writes numbers in another way than their department.",
        "agents/stored_entry.py",
        "    event = _event(stored)\n",
        "    event = orjson.dumps(orjson.loads(_event(stored)))\n",
        (checks.ARCHIVE, checks.UNTOUCHED, checks.CHAIN),
    ),
    Bug(
        "copies-of-what-a-store-held-before",
        "A worker that was restarted takes a copy of what an earlier process had stored for a new event.",
        "agents/known_uids.py",
        "        self.may_hold, self.add = _anything, self._filter.add\n",
        "        self.may_hold, self.add = self._filter.may_hold, self._filter.add\n",
        (checks.HELD_BEFORE,),
    ),
    Bug(
        "copies-of-what-was-restored",
        "What was restored after the store was read is taken for a new event when a copy comes.",
        "agents/archive.py",
        """\
        self._snapshots.clear()
        self._uids.begin()
""",
        """\
        self._snapshots.clear()
""",
        (checks.HELD_BEFORE, checks.ARCHIVE),
    ),
    Bug(
        "copies-of-what-was-written",
        "What a worker has written itself is taken for a new event when a copy comes.",
        "agents/archive.py",
        "        self._uids.add(self._new)\n",
        "",
        (checks.ARCHIVE,),
    ),
    Bug(
        "copies-in-one-unit-of-work",
        "A copy of what the same unit of work has taken is taken for a new event.",
        "agents/archive.py",
        "        if name not in self._new and not self._uids.may_hold(name):\n",
        "        if not self._uids.may_hold(name):\n",
        (checks.ARCHIVE,),
    ),
    Bug(
        "a-filter-that-forgets-when-it-grows",
        "The filter of what is known grows, and knows only what came since.",
        "engine/store/bloom_filter.py",
        "        for words, mask in self._layers:",
        "        for words, mask in self._layers[-1:]:",
        (checks.FILTER,),
    ),
    Bug(
        "states-of-a-lost-unit-of-work",
        "A late event is folded from a state of a unit of work that was never committed.",
        "agents/archive.py",
        """\
        self._store.drop_pending()
        self._snapshots.drop()
""",
        """\
        self._store.drop_pending()
""",
        (checks.GUARDED, checks.LOST_STATES),
    ),
    Bug(
        "states-of-an-isolated-event",
        "A late event is folded from a state that an event has led to whose decision failed.",
        "agents/journey.py",
        """\
            self._archive.forget_states(name)
            if dict(record.headers).get(ORDER) != MOVED:
""",
        """\
            if dict(record.headers).get(ORDER) != MOVED:
""",
        (checks.GUARDED, checks.ISOLATED_STATES),
    ),
    Bug(
        "states-of-whoever-is-not-kept",
        "Customers who are not kept decoded leave their older states in memory.",
        "agents/journey.py",
        "            self._archive.forget_states(name)\n            self._documents.forget(name)\n",
        "            self._documents.forget(name)\n",
        (checks.KEPT_STATES,),
    ),
    Bug(
        "parts-of-whoever-is-not-kept",
        "Customers who are not kept decoded leave parts of their profiles in memory.",
        "agents/journey.py",
        "            self._archive.forget_states(name)\n            self._documents.forget(name)\n",
        "            self._archive.forget_states(name)\n",
        (checks.PROFILE_PARTS,),
    ),
    Bug(
        "what-was-open-is-told-for-good",
        "A profile says what was open when it was told first.",
        "agents/profile_parts.py",
        "len(these) == len(those) and all(map(is_, these, those))",
        "len(these) == len(those)",
        (checks.PROFILE_PARTS,),
    ),
    Bug(
        "a-state-that-knows-the-late-event",
        "A late event is folded from the state as of its own instant.",
        "agents/snapshots.py",
        "        place = bisect_left(states, instant, key=_at)\n",
        "        place = bisect_left(states, instant + 1, key=_at)\n",
        (checks.SNAPSHOTS,),
    ),
    Bug(
        "a-void-state-is-kept",
        "What a late event has changed at its own instant is taken from a state of before.",
        "agents/snapshots.py",
        "            del states[bisect_left(states, since, key=_at) :]\n",
        "            del states[bisect_left(states, since + 1, key=_at) :]\n",
        (checks.SNAPSHOTS,),
    ),
    Bug(
        "states-thinned-by-their-number",
        "Of older states every second one goes: soon nothing is left between the first and the latest.",
        "agents/snapshots.py",
        "                self._states[customer] = thinned(states)\n",
        "                del states[1:-4:2]\n",
        (checks.NEIGHBOURS,),
    ),
    Bug(
        "states-without-end",
        "No older state of a customer goes.",
        "agents/snapshots.py",
        "                self._states[customer] = thinned(states)\n",
        "                self._states[customer] = states\n",
        (checks.FEW_SNAPSHOTS,),
    ),
    Bug(
        "what-was-written-after-a-scan",
        "A unit of work scans what it has written, writes more, and does not see it at the next scan.",
        "engine/store/write_buffer.py",
        "        for key in islice(reversed(self.changes), len(self.changes) - self._grouped):",
        "        for key in () if self._grouped else islice(reversed(self.changes), len(self.changes)):",
        (checks.SCANNED_AGAIN,),
    ),
)
