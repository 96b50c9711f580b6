"""What a rule can say about a timeline. Each condition answers with the entries that made it true, or ``None``.

Conditions are pure and judged *as of* an instant ``t``: everything with ``at <= t``, ties included. A window of
``within`` is open on the left and closed on the right, ``(t - within, t]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from . import entities
from .entities import FIELDS, INVOICE, LastEvents
from .event import DAY, Entry, midnight
from .timeline import CONTACT, ENGAGED, Need, Timeline

EVIDENCE_LIMIT = 20
"""How many entries a count names as evidence: the latest ones."""


class AsOf(NamedTuple):
    """Where a condition stands: the timeline, the instant, the trigger's fields and key, and when it fired.

    ``data`` is empty and ``fired`` is meaningful when the question is whether a standing match is resolved.
    """

    timeline: Timeline
    t: int
    data: Mapping[str, Any]
    key: str
    fired: int


class Found(NamedTuple):
    """An entry that made a condition true, and the values in it that did."""

    entry: Entry
    values: Mapping[str, Any]


Answer = tuple[Found, ...] | None


class Condition(Protocol):
    """The contract of every condition; ``instants`` lists when it may change after ``since``, by time or by entries."""

    def holds(self, now: AsOf) -> Answer: ...
    def needs(self) -> Iterable[Need]: ...
    def fields(self) -> frozenset[str]: ...
    def instants(self, now: AsOf) -> Iterator[int]: ...


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]

    def holds(self, now: AsOf) -> Answer:
        found: list[Found] = []
        for part in self.parts:
            answer = part.holds(now)
            if answer is None:
                return None
            found += answer
        return tuple(found)

    def needs(self) -> Iterable[Need]:
        return [need for part in self.parts for need in part.needs()]

    def fields(self) -> frozenset[str]:
        return frozenset().union(*(part.fields() for part in self.parts))

    def instants(self, now: AsOf) -> Iterator[int]:
        for part in self.parts:
            yield from part.instants(now)


@dataclass(frozen=True, slots=True)
class AnyOf(All):
    """At least one part holds; the evidence is that of every part that does."""

    def holds(self, now: AsOf) -> Answer:
        answers = [answer for part in self.parts if (answer := part.holds(now)) is not None]
        return tuple(found for answer in answers for found in answer) if answers else None


@dataclass(frozen=True, slots=True)
class NoneOf(All):
    """No part holds. What is absent leaves no evidence."""

    def holds(self, now: AsOf) -> Answer:
        return () if all(part.holds(now) is None for part in self.parts) else None


@dataclass(frozen=True, slots=True)
class Field:
    """A comparison on a field of the triggering event."""

    name: str
    test: str
    value: Any

    def holds(self, now: AsOf) -> Answer:
        return () if compare(self.test, now.data.get(self.name), self.value) else None

    def needs(self) -> Iterable[Need]:
        return ()

    def fields(self) -> frozenset[str]:
        return frozenset({self.name})

    def instants(self, now: AsOf) -> Iterator[int]:
        return iter(())


def compare(test: str, found: Any, expected: Any) -> bool:
    """``is``, ``is_not``, ``in``, ``at_least``, ``at_most``; a missing field is no number and equals nothing."""
    if test == "is":
        return bool(found == expected)
    if test == "is_not":
        return bool(found != expected)
    if test == "in":
        return found in expected
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    return bool(found >= expected) if test == "at_least" else bool(found <= expected)


TESTS = ("is", "is_not", "in", "at_least", "at_most")


@dataclass(frozen=True, slots=True)
class InState:
    """A matter of this kind is open, was closed within a window, or is overdue; ``same`` names the one meant."""

    entity: str
    state: str
    where: tuple[tuple[str, Any], ...] = ()
    within: int = 0
    days: int = 0
    same: str | None = None
    same_is_key: bool = False

    def holds(self, now: AsOf) -> Answer:
        matters = now.timeline.matters(self.entity)
        wanted = now.key if self.same_is_key else now.data.get(self.same) if self.same else None
        if wanted is not None:
            matters = {str(wanted): matters[str(wanted)]} if str(wanted) in matters else {}
        found = [hit for entries in matters.values() if (hit := self._hit(entries, now)) is not None]
        return tuple(found) if found else None

    def _hit(self, entries: list[Entry], now: AsOf) -> Found | None:
        events = LastEvents(self.entity, entries, now.timeline.plan.vocabulary)
        matter = entities.state(events, now.t)
        if matter is None or any(matter.facts.get(name) != value for name, value in self.where):
            return None
        hit: Entry | None = None
        if self.state == "open":
            hit = matter.changed if matter.open else None
        elif self.state == "overdue":
            hit = entities.overdue_since(events, now.t, self.days)
        elif not matter.open and (self.within == 0 or now.t - self.within < matter.changed.at):
            hit = matter.changed
        if hit is None:
            return None
        role = now.timeline.plan.vocabulary[hit.type].entity
        id_field = role.id_field if role else ""
        return Found(hit, {id_field: hit.data.get(id_field), **dict(self.where)})

    def needs(self) -> Iterable[Need]:
        fields = FIELDS.get(self.entity, frozenset()) | {name for name, _ in self.where}
        return (Need(self.entity, fields, self.within),)

    def fields(self) -> frozenset[str]:
        return frozenset({self.same}) if self.same else frozenset()

    def instants(self, now: AsOf) -> Iterator[int]:
        for entry in now.timeline.streams.get(self.entity, ()):
            yield entry.at
            if self.within:
                yield entry.at + self.within
            if self.entity == INVOICE and self.state == "overdue" and "dueDate" in entry.data:
                yield midnight(str(entry.data["dueDate"])) + self.days * DAY


@dataclass(frozen=True, slots=True)
class Seen:
    """Something of these streams happened: in a window before, or (``within`` 0) since the match fired."""

    streams: tuple[str, ...]
    where: tuple[tuple[str, Any], ...] = ()
    within: int = 0

    def holds(self, now: AsOf) -> Answer:
        after = now.t - self.within if self.within else now.fired
        hits = [
            entry
            for stream in self.streams
            for entry in now.timeline.between(stream, after, now.t)
            if all(entry.data.get(name) == value for name, value in self.where)
        ]
        return (Found(max(hits, key=lambda e: (e.at, e.uid)), dict(self.where)),) if hits else None

    def needs(self) -> Iterable[Need]:
        fields = frozenset(name for name, _ in self.where)
        latest = not self.within and not self.where
        return tuple(Need(stream, fields, self.within, latest) for stream in self.streams)

    def fields(self) -> frozenset[str]:
        return frozenset()

    def instants(self, now: AsOf) -> Iterator[int]:
        for stream in self.streams:
            for at in now.timeline.instants(stream, now.fired):
                yield at
                if self.within:
                    yield at + self.within


@dataclass(frozen=True, slots=True)
class UnansweredContacts:
    """At least so many outbound contacts in a window, each with no outcome ``answered`` and nothing engaged since."""

    at_least: int
    within: int

    def holds(self, now: AsOf) -> Answer:
        engaged = now.timeline.latest(ENGAGED, now.t)
        answered_until = engaged.at if engaged else None
        vocabulary = now.timeline.plan.vocabulary
        open_ones = [
            contact
            for contact in now.timeline.between(CONTACT, now.t - self.within, now.t)
            if (answered_until is None or contact.at > answered_until)
            and not vocabulary[contact.type].holds(vocabulary[contact.type].answered, contact.data)
        ]
        if len(open_ones) < self.at_least:
            return None
        return tuple(Found(c, {"department": vocabulary[c.type].department}) for c in open_ones[-EVIDENCE_LIMIT:])

    def needs(self) -> Iterable[Need]:
        return (Need(CONTACT, frozenset({"outcome"}), self.within), Need(ENGAGED, latest=True))

    def fields(self) -> frozenset[str]:
        return frozenset()

    def instants(self, now: AsOf) -> Iterator[int]:
        for contact in now.timeline.streams.get(CONTACT, ()):
            yield contact.at
            yield contact.at + self.within
        yield from now.timeline.instants(ENGAGED, now.fired)
