"""What rules see of a customer's timeline: entries by stream, in ``(at, uid)`` order.

A *stream* is the entries that a rule may ask for together: those of one event type, of one kind of matter
(``case``, ``invoice``), every outbound ``contact``, every ``engaged`` event. The batch definition fills the
streams with the whole history; the incremental engine keeps only what can still matter (``prune``). Both ask the
same questions.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any
from zlib import crc32

from .bounds import fits
from .entities import Matter, opens, past
from .event import HOUR, Entry
from .spans import FOREVER
from .vocabulary import EventType, Vocabulary

OFTEN = 32
"""Matters of a customer who has more entries about them than this are looked through once in so many entries."""

LATENESS = HOUR
"""An event that is late by less can be judged on what is kept."""
MOST_FOR_LATENESS = 128
"""But no more entries of a stream than these are kept for that alone."""

MARK_CHARS = 4
ENTRY_CHARS = 128
"""A held entry is about as long as so many characters of settled matters."""

CONTACT = "contact"
ENGAGED = "engaged"


@dataclass(frozen=True, slots=True)
class Need:
    """What somebody looks at: a stream, its entries' fields, how far back (µs), whether always its latest entry."""

    stream: str
    fields: frozenset[str] = frozenset()
    horizon: int = 0
    latest: bool = False


Streams = tuple[str, ...]
"""Those that an event belongs to, its type first. There are few combinations: what follows from one is kept."""

Fields = Sequence[tuple[str, str | bool | None]]
"""Those that are kept of an entry, with what a missing one means."""

Places = Mapping[str, Fields]
"""The streams that keep an entry, and what of it."""

Read = Callable[[Any], Any]
"""Makes plain data of a part that is still as it was written down."""


def as_it_is(part: Any) -> Any:
    """Of a document that is plain data altogether."""
    return part


def streams_of(kind: EventType | None, data: Mapping[str, Any]) -> Streams:
    """The streams that an event of this type and content belongs to; none for a note and for a type nobody knows."""
    if kind is None or kind.note:
        return ()
    found = [kind.name]
    if kind.entity is not None and data.get(kind.entity.id_field) is not None:
        found.append(kind.entity.entity)
    if is_contact(kind, data):
        found.append(CONTACT)
    if kind.engaged is not None and kind.holds(kind.engaged, data):
        found.append(ENGAGED)
    return tuple(found)


def is_contact(kind: EventType, data: Mapping[str, Any]) -> bool:
    """Whether an event of this type and content is a contact: outbound, and to sell or to ask."""
    return kind.outbound is not None and kind.holds(kind.outbound, data)


class Plan:
    """Which streams are kept, with which fields and for how long: the union of all needs."""

    def __init__(self, needs: Iterable[Need], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        merged: dict[str, Need] = {}
        for need in needs:
            known = merged.get(need.stream, need)
            merged[need.stream] = Need(
                need.stream,
                known.fields | need.fields,
                max(known.horizon, need.horizon),
                known.latest or need.latest,
            )
        self.needs: Mapping[str, Need] = dict(sorted(merged.items()))
        self._places: dict[Streams, Places] = {}
        self.entities = frozenset(k.entity.entity for k in vocabulary.values() if k.entity) & frozenset(self.needs)
        self.matter_fields = max((len(self.needs[entity].fields) for entity in self.entities), default=0)
        kept = repr([(n.stream, sorted(n.fields), n.horizon, n.latest) for n in self.needs.values()])
        self.digest = hashlib.sha256(kept.encode()).hexdigest()[:8]

    def places(self, streams: Streams) -> Places:
        """Those of an event's streams that are kept."""
        found = self._places.get(streams)
        if found is None:
            found = self._places[streams] = {
                stream: self._fields(streams[0], stream) for stream in streams if stream in self.needs
            }
        return found

    def places_of(self, entry: Entry) -> Places:
        """The same of an entry."""
        return self.places(streams_of(self.vocabulary.get(entry.type), entry.data))

    def _fields(self, name: str, stream: str) -> Fields:
        defaults = self.vocabulary[name].defaults
        return [(field, defaults.get(field)) for field in sorted(self.needs[stream].fields)]


class Timeline:
    """The streams of one customer. ``settled`` marks matters that were closed long ago and are no longer held.

    ``since``: what is asked as of that instant or later is answered as by the whole history. A stream's list is never
    changed but replaced: who holds the same one as before knows that nothing has changed.
    ``sealed`` are streams as they were written down, each ``read`` as soon as somebody asks for it. ``shown`` is what
    was written of the open matters, and how many they were, as long as nothing comes to a matter.
    """

    __slots__ = (
        "_groups",
        "_open",
        "_pasts",
        "answers",
        "plan",
        "read",
        "sealed",
        "settled",
        "shown",
        "since",
        "streams",
    )

    def __init__(
        self,
        plan: Plan,
        sealed: dict[str, Any] | None = None,
        read: Read = as_it_is,
        settled: str = "",
        since: int = -FOREVER,
        shown: tuple[Any, int] | None = None,
    ) -> None:
        self.plan = plan
        self.streams: dict[str, list[Entry]] = {}
        self.sealed: dict[str, Any] = sealed if sealed is not None else {}
        self.read = read
        self.settled = settled
        self.since = since
        self.shown = shown
        self.answers: dict[tuple[Hashable, str], Any] = {}
        """What conditions found out once; void as soon as an entry is added."""
        self._groups: dict[str, dict[str, list[Entry]]] = {}
        self._pasts: dict[str, dict[str, list[Matter]]] = {}
        self._open: Sequence[tuple[str, str, Matter]] | None = None

    @classmethod
    def of(cls, plan: Plan, entries: Iterable[Entry]) -> Timeline:
        """The whole history, nothing pruned."""
        timeline = cls(plan)
        for entry in sorted(entries):
            for stream, fields in plan.places_of(entry).items():
                timeline.streams.setdefault(stream, []).append(_cut(entry, fields))
        return timeline

    def copy(self) -> Timeline:
        """The same, to go on differently: no list is ever changed, so that both can share them."""
        twin = Timeline(self.plan, dict(self.sealed), self.read, self.settled, self.since, self.shown)
        twin.streams = dict(self.streams)
        twin.answers = dict(self.answers)
        twin._groups = {entity: dict(groups) for entity, groups in self._groups.items()}
        twin._pasts = {entity: dict(pasts) for entity, pasts in self._pasts.items()}
        twin._open = self._open
        return twin

    def add(self, entry: Entry, places: Places) -> None:
        """Puts the entry in its place in each of these streams; each becomes another list."""
        for stream, fields in places.items():
            cut, held = _cut(entry, fields), self.stream(stream)
            self.streams[stream] = [cut] if held is None else _with(held, cut)
            if stream in self.plan.entities:
                self.shown = self._open = None
            if stream in self._groups:
                matter = self._matter(cut)
                groups = self._groups[stream]
                groups[matter] = _with(groups.get(matter, []), cut)
                if stream in self._pasts:
                    self._pasts[stream].pop(matter, None)
        self.answers.clear()

    def stream(self, name: str) -> list[Entry] | None:
        """The entries of one stream; ``None`` if there are none."""
        found = self.streams.get(name)
        if found is None and name in self.sealed:
            found = self.streams[name] = list(starmap(Entry, self.read(self.sealed.pop(name))))
        return found

    def between(self, stream: str, after: int, until: int) -> Sequence[Entry]:
        """Entries with ``after < at <= until``."""
        entries = self.stream(stream)
        if not entries:
            return ()
        low = bisect_right(entries, after, key=_at)
        return entries[low : bisect_right(entries, until, low, key=_at)]

    def latest(self, stream: str, until: int) -> Entry | None:
        """The last entry with ``at <= until``."""
        entries = self.stream(stream)
        if not entries:
            return None
        if entries[-1].at <= until:
            return entries[-1]
        index = bisect_right(entries, until, key=_at)
        return entries[index - 1] if index else None

    def matters(self, entity: str) -> Mapping[str, list[Matter]]:
        """What became of each case, invoice, …, by its id."""
        groups, found = self._grouped(entity), self._pasts.setdefault(entity, {})
        if len(found) < len(groups):
            for matter in groups:
                self._past(entity, matter)
        return found

    def open(self) -> Sequence[tuple[str, str, Matter]]:
        """What is open by all that is held, oldest first: kind, id, state. The same object until that changes."""
        if self._open is None:
            if self.plan.entities.isdisjoint(self.streams) and self.plan.entities.isdisjoint(self.sealed):
                self._open = ()
                return self._open
            found = [
                (entity, matter, past[-1])
                for entity in sorted(self.plan.entities)
                for matter, past in self.matters(entity).items()
                if past and past[-1].open
            ]
            self._open = sorted(found, key=lambda one: (one[2].changed.at, one[1]))
        return self._open

    def _past(self, entity: str, matter: str) -> list[Matter]:
        pasts = self._pasts.setdefault(entity, {})
        found = pasts.get(matter)
        if found is None:
            found = pasts[matter] = past(entity, self._grouped(entity)[matter], self.plan.vocabulary)
        return found

    def _grouped(self, entity: str) -> dict[str, list[Entry]]:
        found = self._groups.get(entity)
        if found is None:
            found = self._groups[entity] = {}
            for entry in self.stream(entity) or ():
                found.setdefault(self._matter(entry), []).append(entry)
        return found

    def _matter(self, entry: Entry) -> str:
        role = self.plan.vocabulary[entry.type].entity
        assert role is not None, entry.type  # only types with a role reach an entity's stream
        return str(entry.data[role.id_field])

    def size(self) -> int:
        """How much is held, in entries."""
        for name in list(self.sealed):
            self.stream(name)
        return sum(len(entries) for entries in self.streams.values()) + len(self.settled) // ENTRY_CHARS

    def touches_settled(self, entry: Entry, named: Iterable[tuple[str, str]]) -> bool:
        """Whether the entry names a matter whose past is no longer held here. ``named``: kinds and fields.

        Of 1,500 settled matters one in 10,000 others looks like one of them: it is judged by the whole history in vain.
        """
        kind = self.plan.vocabulary[entry.type]
        return any(self.is_settled(entity, str(kind.value(entry.data, name))) for entity, name in named)

    def has_opened(self, entity: str, matter: str) -> bool:
        """Whether an event that opens the matter is held."""
        return any(opens(entry, self.plan.vocabulary) for entry in self._grouped(entity).get(matter, ()))

    def is_settled(self, entity: str, matter: str) -> bool:
        """Whether the matter, or one whose mark is the same, is among ``settled``."""
        mark = _mark(entity, matter)
        place = self.settled.find(mark)
        while place % MARK_CHARS:  # it stands across two others, or nowhere
            if place < 0:
                return False
            place = self.settled.find(mark, place + 1)
        return True

    def prune(self, streams: Iterable[str], now: int, *, whole: bool = False) -> None:
        """Drops from ``streams`` what can no longer matter to events about ``now``, or a little late.

        Many matters are looked through now and then only; all of them when it is a ``whole`` history that is pruned.
        """
        for stream in streams:
            entries, need, since = self.streams[stream], self.plan.needs[stream], now - LATENESS
            if len(entries) <= MOST_FOR_LATENESS and entries[0].at > since - need.horizon:
                continue  # nothing is old enough
            if len(entries) > MOST_FOR_LATENESS:
                since = min(max(since, entries[-MOST_FOR_LATENESS].at), now)
            if stream in self.plan.entities:
                if len(entries) > OFTEN and len(entries) % OFTEN and not whole:
                    continue
                self._prune_matters(stream, since - need.horizon)
            else:
                cut = bisect_left(entries, since - need.horizon, key=_at)  # what ends an alert may stand right there
                if need.latest:  # the one that is the latest as of that instant
                    cut = min(cut, max(0, bisect_right(entries, since, key=_at) - 1))
                self.streams[stream] = entries[cut:]
            self.since = max(self.since, since)
            if not self.streams[stream]:
                del self.streams[stream]

    def _prune_matters(self, entity: str, before: int) -> None:
        """Matters that are closed, and to which nothing happened after ``before``."""
        grouped = self._grouped(entity)
        old = [matter for matter, entries in grouped.items() if entries[-1].at <= before]
        gone = {matter for matter in old if (known := self._past(entity, matter)) and not known[-1].open}
        if not gone:
            return
        self.streams[entity] = sorted(e for matter, entries in grouped.items() if matter not in gone for e in entries)
        self.settled += "".join(_mark(entity, one) for one in sorted(gone) if not self.is_settled(entity, one))
        for matter in gone:
            del grouped[matter], self._pasts[entity][matter]
        self.shown = self._open = None
        self.answers.clear()


def _mark(entity: str, matter: str) -> str:
    """Four characters for a matter: its name would be as long as an entry of it, and there is no end of them."""
    return b64encode((crc32(f"{entity}/{matter}".encode()) & 0xFFFFFF).to_bytes(3, "big")).decode()


def _cut(entry: Entry, fields: Fields) -> Entry:
    """The entry with these fields only; what is too large is not there."""
    at, uid, name, source, id_, data = entry
    kept = {}
    for field, default in fields:
        value = data.get(field, default)
        if value is not None and fits(value):
            kept[field] = value
        elif default is not None:
            kept[field] = default
    return Entry(at, uid, name, source, id_, kept)


def _with(entries: list[Entry], entry: Entry) -> list[Entry]:
    if entries and entries[-1] > entry:
        place = bisect_right(entries, entry)
        return [*entries[:place], entry, *entries[place:]]
    return [*entries, entry]


def _at(entry: Entry) -> int:
    return entry.at
