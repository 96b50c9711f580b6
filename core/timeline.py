"""What rules see of a customer's timeline: entries by stream, in ``(at, uid)`` order.

A *stream* is the entries that a rule may ask for together: those of one event type, of one kind of matter
(``case``, ``invoice``), every outbound ``contact``, every ``engaged`` event. The batch definition fills the
streams with the whole history; the incremental engine keeps only what can still matter (``prune``). Both ask the
same questions.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .entities import Matter, past
from .event import HOUR, Entry
from .spans import FOREVER, Spans
from .vocabulary import EventType, Vocabulary

OFTEN = 32
"""Matters of a customer who has more entries about them than this are looked through once in so many entries."""

LATENESS = HOUR
"""An event that is late by less can be judged on what is kept."""
MOST_FOR_LATENESS = 128
"""But no more entries of a stream than these are kept for that alone."""

CONTACT = "contact"
ENGAGED = "engaged"


@dataclass(frozen=True, slots=True)
class Need:
    """What somebody looks at: a stream, its entries' fields, how far back (µs), whether always its latest entry."""

    stream: str
    fields: frozenset[str] = frozenset()
    horizon: int = 0
    latest: bool = False


def streams_of(kind: EventType, data: Mapping[str, Any]) -> list[str]:
    """The streams that an event of this type and content belongs to."""
    found = [kind.name]
    if kind.entity is not None and data.get(kind.entity.id_field) is not None:
        found.append(kind.entity.entity)
    if kind.outbound is not None and kind.holds(kind.outbound, data):
        found.append(CONTACT)
    if kind.engaged is not None and kind.holds(kind.engaged, data):
        found.append(ENGAGED)
    return found


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
        self._fields = {name: tuple(sorted(need.fields)) for name, need in self.needs.items()}
        self.entities = frozenset(k.entity.entity for k in vocabulary.values() if k.entity) & frozenset(self.needs)
        kept = repr([(n.stream, sorted(n.fields), n.horizon, n.latest) for n in self.needs.values()])
        self.digest = hashlib.sha256(kept.encode()).hexdigest()[:8]

    def places(self, entry: Entry) -> list[tuple[str, Entry]]:
        """The streams that want this entry, each with the entry cut to the fields wanted there."""
        kind = self.vocabulary.get(entry.type)
        if kind is None:
            return []
        at, uid, name, source, id_, data = entry
        places = []
        for stream in streams_of(kind, data):
            fields = self._fields.get(stream)
            if fields is not None:
                cut = {}
                for field in fields:
                    value = kind.value(data, field)
                    if value is not None:
                        cut[field] = value
                places.append((stream, Entry(at, uid, name, source, id_, cut)))
        return places


class Timeline:
    """The streams of one customer. ``settled`` names matters that were closed long ago and are no longer held.

    ``since``: what is asked as of that instant or later is answered as by the whole history.
    """

    __slots__ = ("_groups", "_pasts", "plan", "settled", "since", "spans", "streams")

    def __init__(
        self,
        plan: Plan,
        streams: dict[str, list[Entry]] | None = None,
        settled: set[str] | None = None,
        since: int = -FOREVER,
    ) -> None:
        self.plan = plan
        self.streams: dict[str, list[Entry]] = streams if streams is not None else {}
        self.settled: set[str] = settled if settled is not None else set()
        self.since = since
        self.spans: dict[tuple[int, str], Spans] = {}
        """When conditions hold, found once; void as soon as an entry is added."""
        self._groups: dict[str, dict[str, list[Entry]]] = {}
        self._pasts: dict[str, dict[str, list[Matter]]] = {}

    @classmethod
    def of(cls, plan: Plan, entries: Iterable[Entry]) -> Timeline:
        """The whole history, nothing pruned."""
        timeline = cls(plan)
        for entry in sorted(entries):
            timeline.add(entry)
        return timeline

    def add(self, entry: Entry) -> Sequence[str]:
        """Puts the entry in its place; returns the streams it went to."""
        places = self.plan.places(entry)
        for stream, cut in places:
            _put(self.streams.setdefault(stream, []), cut)
            if stream in self._groups:
                matter = self._matter(cut)
                _put(self._groups[stream].setdefault(matter, []), cut)
                if stream in self._pasts:
                    self._pasts[stream].pop(matter, None)
        self.spans.clear()
        return [stream for stream, _ in places]

    def between(self, stream: str, after: int, until: int) -> Sequence[Entry]:
        """Entries with ``after < at <= until``."""
        entries = self.streams.get(stream)
        if not entries:
            return ()
        low = bisect_right(entries, after, key=_at)
        return entries[low : bisect_right(entries, until, low, key=_at)]

    def latest(self, stream: str, until: int) -> Entry | None:
        """The last entry with ``at <= until``."""
        entries = self.streams.get(stream)
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
            for entry in self.streams.get(entity, ()):
                found.setdefault(self._matter(entry), []).append(entry)
        return found

    def _matter(self, entry: Entry) -> str:
        role = self.plan.vocabulary[entry.type].entity
        assert role is not None, entry.type  # only types with a role reach an entity's stream
        return str(entry.data[role.id_field])

    def size(self) -> int:
        """How much is held: entries, and names of settled matters."""
        return sum(len(entries) for entries in self.streams.values()) + len(self.settled)

    def touches_settled(self, entry: Entry, named: Iterable[tuple[str, str]]) -> bool:
        """Whether the entry is about a matter whose past is no longer held here, or names one (see ``Rule.named``)."""
        if not self.settled:
            return False
        kind = self.plan.vocabulary.get(entry.type)
        own = [(kind.entity.entity, kind.entity.id_field)] if kind is not None and kind.entity is not None else []
        return any(f"{entity}/{entry.data.get(name)}" in self.settled for entity, name in (*own, *named))

    def prune(self, streams: Iterable[str], now: int) -> None:
        """Drops from ``streams`` what can no longer matter to events about ``now``, or a little late."""
        for stream in streams:
            entries = self.streams[stream]
            need = self.plan.needs[stream]
            since = now - LATENESS
            if entries[0].at > since - need.horizon and len(entries) <= MOST_FOR_LATENESS:
                continue  # nothing is old enough
            if len(entries) > MOST_FOR_LATENESS:
                since = min(max(since, entries[-MOST_FOR_LATENESS].at), now)
            if stream in self.plan.entities:
                if len(entries) > OFTEN and len(entries) % OFTEN:
                    continue
                self._prune_matters(stream, since - need.horizon)
            else:
                cut = bisect_right(entries, since - need.horizon, key=_at)
                if need.latest:  # the one that is the latest as of that instant
                    cut = min(cut, max(0, bisect_right(entries, since, key=_at) - 1))
                del entries[:cut]
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
        self.settled.update(f"{entity}/{matter}" for matter in gone)
        for matter in gone:
            del grouped[matter], self._pasts[entity][matter]
        self.spans.clear()


def _put(entries: list[Entry], entry: Entry) -> None:
    if entries and entries[-1] > entry:
        insort(entries, entry)
    else:
        entries.append(entry)


def _at(entry: Entry) -> int:
    return entry.at
