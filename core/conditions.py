"""What a rule can say about a timeline. Each condition answers with the entries that made it true, or ``None``.

Conditions are pure and judged *as of* an instant ``t``: everything with ``at <= t``, ties included. A window of
``within`` is open on the left and closed on the right, ``(t - within, t]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from . import entities
from .entities import FIELDS, Matter
from .event import DAY, Entry
from .spans import ALWAYS, FOREVER, NEVER, Spans, complement, contains, intersection, union
from .timeline import CONTACT, ENGAGED, Need, Timeline

EVIDENCE_LIMIT = 20
"""How many entries a count names as evidence: the latest ones."""

FEW = 16
"""Of so many matters each is looked at; of more it is known when something holds for each."""


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
    """The contract of every condition.

    ``holds`` judges one instant and names the evidence. ``spans`` tells all instants at which it holds, for the key of
    a match and when that fired; a comparison with the trigger has none. Both must agree.
    """

    def holds(self, now: AsOf) -> Answer: ...
    def spans(self, timeline: Timeline, key: str, fired: int) -> Spans: ...
    def needs(self) -> Iterable[Need]: ...
    def fields(self) -> frozenset[str]: ...
    def named(self) -> Iterable[tuple[str, str]]:
        """Kinds of matters that a field of the trigger names: ``("case", "caseId")``."""
        return ()


@dataclass(frozen=True, slots=True)
class All(Condition):
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

    def named(self) -> Iterable[tuple[str, str]]:
        return [name for part in self.parts for name in part.named()]

    def spans(self, timeline: Timeline, key: str, fired: int) -> Spans:
        found = ALWAYS
        for part in self.parts:
            found = intersection(found, part.spans(timeline, key, fired))
        return found


@dataclass(frozen=True, slots=True)
class AnyOf(All):
    """At least one part holds; the evidence is that of every part that does."""

    def holds(self, now: AsOf) -> Answer:
        found: Answer = None
        for part in self.parts:
            answer = part.holds(now)
            if answer is not None:
                found = answer if found is None else found + answer
        return found

    def spans(self, timeline: Timeline, key: str, fired: int) -> Spans:
        return union(span for part in self.parts for span in part.spans(timeline, key, fired))


@dataclass(frozen=True, slots=True)
class NoneOf(All):
    """No part holds. What is absent leaves no evidence."""

    def holds(self, now: AsOf) -> Answer:
        return () if all(part.holds(now) is None for part in self.parts) else None

    def spans(self, timeline: Timeline, key: str, fired: int) -> Spans:
        return complement(union(span for part in self.parts for span in part.spans(timeline, key, fired)))


@dataclass(frozen=True, slots=True)
class Field(Condition):
    """A comparison on a field of the triggering event."""

    name: str
    test: str
    value: Any

    def holds(self, now: AsOf) -> Answer:
        return () if compare(self.test, now.data.get(self.name), self.value) else None

    def spans(self, timeline: Timeline, key: str, fired: int) -> Spans:
        raise TypeError("a trigger's field can't be asked for later")

    def needs(self) -> Iterable[Need]:
        return ()

    def fields(self) -> frozenset[str]:
        return frozenset({self.name})


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
class InState(Condition):
    """A matter of this kind is open, was closed within a window, or is overdue; ``same`` names the one meant."""

    entity: str
    state: str
    where: tuple[tuple[str, Any], ...] = ()
    within: int = 0
    days: int = 0
    same: str | None = None
    same_is_key: bool = False

    def holds(self, now: AsOf) -> Answer:
        wanted = now.key if self.same_is_key else now.data.get(self.same) if self.same else None
        matters = now.timeline.matters(self.entity)
        chosen: Iterable[Matter | None]
        if self.same is None and len(matters) > FEW:
            chosen = self._held(now.timeline, now.key).at(now.t)
        else:
            pasts = matters.values() if wanted is None else [matters.get(str(wanted), [])]
            chosen = [entities.as_of(past, now.t) for past in pasts]
        found = [hit for matter in chosen if (hit := self._hit(matter, now)) is not None]
        return tuple(found) if found else None

    def _hit(self, matter: Matter | None, now: AsOf) -> Found | None:
        if matter is None or not self._meant(matter):
            return None
        hit: Entry | None = None
        if self.state == "overdue":
            due = self._overdue_from(matter)
            hit = matter.warned if due is not None and now.t >= due else None
        elif self.state == "open":
            hit = matter.changed if matter.open else None
        elif not matter.open and (self.within == 0 or now.t - self.within < matter.changed.at):
            hit = matter.changed
        if hit is None:
            return None
        role = now.timeline.plan.vocabulary[hit.type].entity
        id_field = role.id_field if role else ""
        return Found(hit, {id_field: hit.data.get(id_field), **dict(self.where)})

    def _meant(self, matter: Matter) -> bool:
        return all(matter.facts.get(name) == value for name, value in self.where)

    def _overdue_from(self, matter: Matter) -> int | None:
        if not matter.open or matter.warned is None or matter.due is None:
            return None
        return matter.due + self.days * DAY

    def spans(self, timeline: Timeline, key: str, fired: int) -> Spans:
        return self._held(timeline, key).spans

    def _held(self, timeline: Timeline, key: str) -> _Held:
        asked = (self, key if self.same_is_key else "")
        found = timeline.answers.get(asked)
        if found is None:
            matters = timeline.matters(self.entity)
            chosen = [matters.get(key, [])] if self.same_is_key else matters.values()
            found = timeline.answers[asked] = _Held(part for past in chosen for part in self._parts(past))
        return found

    def _parts(self, past: Sequence[Matter]) -> Iterator[_Part]:
        for index, matter in enumerate(past):
            until = past[index + 1].since if index + 1 < len(past) else FOREVER
            if not self._meant(matter):
                continue
            if self.state == "overdue":
                due = self._overdue_from(matter)
                if due is not None:
                    yield max(matter.since, due), until, matter
            elif self.state == "open":
                if matter.open:
                    yield matter.since, until, matter
            elif not matter.open:
                yield matter.since, min(until, matter.changed.at + self.within) if self.within else until, matter

    def needs(self) -> Iterable[Need]:
        fields = FIELDS.get(self.entity, frozenset()) | {name for name, _ in self.where}
        forever = self.state == "closed" and not self.within and not self.same_is_key  # a trigger may name none
        return (Need(self.entity, fields, FOREVER if forever else self.within),)

    def named(self) -> Iterable[tuple[str, str]]:
        return ((self.entity, self.same),) if self.same else ()

    def fields(self) -> frozenset[str]:
        return frozenset({self.same}) if self.same else frozenset()


_Part = tuple[int, int, Matter]


class _Held:
    """For which matters a condition holds, each from one instant to another, and when it holds for any."""

    __slots__ = ("_parts", "spans")

    def __init__(self, parts: Iterable[_Part]) -> None:
        self._parts = list(parts)
        self.spans = union((since, until) for since, until, _ in self._parts)

    def at(self, t: int) -> Sequence[Matter]:
        """Those for which it holds as of ``t``."""
        if not contains(self.spans, t):
            return ()
        return [matter for since, until, matter in self._parts if since <= t < until]


@dataclass(frozen=True, slots=True)
class Seen(Condition):
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

    def spans(self, timeline: Timeline, key: str, fired: int) -> Spans:
        after = -FOREVER if self.within else fired
        hits = [
            entry.at
            for stream in self.streams
            for entry in timeline.between(stream, after, FOREVER)
            if all(entry.data.get(name) == value for name, value in self.where)
        ]
        if self.within:
            return union((at, at + self.within) for at in hits)
        return ((min(hits), FOREVER),) if hits else NEVER

    def needs(self) -> Iterable[Need]:
        fields = frozenset(name for name, _ in self.where)
        return tuple(Need(stream, fields, self.within or FOREVER) for stream in self.streams)

    def fields(self) -> frozenset[str]:
        return frozenset()


@dataclass(frozen=True, slots=True)
class UnansweredContacts(Condition):
    """At least so many outbound contacts in a window, each with no outcome ``answered`` and nothing engaged since."""

    at_least: int
    within: int

    def holds(self, now: AsOf) -> Answer:
        engaged, since = now.timeline.latest(ENGAGED, now.t), now.t - self.within
        contacts = now.timeline.between(CONTACT, since if engaged is None else max(since, engaged.at), now.t)
        if len(contacts) < self.at_least:
            return None
        vocabulary = now.timeline.plan.vocabulary
        open_ones = [
            contact
            for contact in contacts
            if not vocabulary[contact.type].holds(vocabulary[contact.type].answered, contact.data)
        ]
        if len(open_ones) < self.at_least:
            return None
        return tuple(Found(c, {"department": vocabulary[c.type].department}) for c in open_ones[-EVIDENCE_LIMIT:])

    def spans(self, timeline: Timeline, key: str, fired: int) -> Spans:
        contacts = [contact.at for contact in timeline.between(CONTACT, -FOREVER, FOREVER)]
        engaged = [entry.at for entry in timeline.between(ENGAGED, -FOREVER, FOREVER)]
        edges = sorted({*contacts, *(at + self.within for at in contacts), *engaged})
        if not edges:
            return NEVER
        holding = (
            (at, until)
            for at, until in zip(edges, [*edges[1:], FOREVER], strict=True)
            if self.holds(AsOf(timeline, at, {}, key, fired)) is not None
        )
        return union(holding)

    def needs(self) -> Iterable[Need]:
        return (Need(CONTACT, frozenset({"outcome"}), self.within), Need(ENGAGED, latest=True))

    def fields(self) -> frozenset[str]:
        return frozenset()
