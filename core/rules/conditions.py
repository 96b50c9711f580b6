"""What a rule can say about a customer. Each condition answers with the entries that made it true, or ``None``.

Conditions are judged *as of* an instant: by what is known of all entries up to then, ties included. A window of
``within`` is open on the left and closed on the right, ``(t - within, t]``. What a condition asks about is kept by a
fold (``features``); once it knows where (``bound``), it can be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import eq, itemgetter, ne
from typing import ClassVar, Protocol, cast

from msgspec import Struct

from ..timeline.entry import BEFORE_ALL, DAY, FOREVER
from ..timeline.features import Contacts, Context, Feature, Latest, Ref, Unanswered, Where
from ..timeline.matters import FIELDS, Matter, Matters, MattersOf

EVIDENCE_LIMIT = 20
"""How many entries a count names as evidence: the latest ones."""

States = tuple[object, ...]
"""What is kept of a customer: a state of each feature, in the order of the rule set."""


class Derived(Struct, frozen=True, gc=False, array_like=True):
    """What is known of a customer as of ``at`` (µs): a function of the entries up to then."""

    at: int
    states: States


@dataclass(slots=True)
class Now:
    """Where a condition stands: what is known, an instant then or later (µs) if nothing happens until it, the trigger's
    fields and key, and when it fired.

    ``data`` is empty when the question is whether a standing match is resolved.
    """

    derived: Derived
    context: Context
    t: int
    data: Mapping[str, object]
    key: str
    fired: int


MATTER, DEPARTMENT = 1, 2


class Found(Struct, frozen=True, gc=False, array_like=True):
    """An entry that made a condition true. Of what it says, ``where`` did, and the id of its ``MATTER``, or whose it is
    (``DEPARTMENT``); 0: neither.
    """

    entry: Ref
    where: Where = ()
    names: int = 0


Answer = tuple[Found, ...] | None


class Kept(Protocol):
    """Where features are kept."""

    def place(self, feature: Feature) -> int: ...
    def feature(self, feature: Feature) -> Feature:
        """What is kept for it, with others' needs."""
        ...


class Condition(Protocol):
    """The contract of every condition; ``holds`` and ``changes`` are asked once it is ``bound``.

    ``changes``: the first instant after ``now.t`` at which ``holds`` may answer otherwise if nothing happens.
    """

    def holds(self, now: Now) -> Answer: ...
    def changes(self, now: Now) -> int: ...
    def features(self) -> Iterable[Feature]: ...
    def bound(self, kept: Kept) -> Condition: ...
    def fields(self) -> frozenset[str]:
        """Those of the trigger at which it looks."""
        return frozenset()

    def since_fired(self) -> bool:
        """Whether the answer depends on when the match fired."""
        return False


@dataclass(frozen=True, slots=True)
class All(Condition):
    """Every part holds."""

    parts: tuple[Condition, ...]

    def holds(self, now: Now) -> Answer:
        found: Answer = ()
        for part in self.parts:
            answer = part.holds(now)
            if answer is None:
                return None
            found = found + answer if found else answer
        return found

    def changes(self, now: Now) -> int:
        found = FOREVER
        for part in self.parts:
            t = part.changes(now)
            if t < found:
                found = t
        return found

    def features(self) -> Iterable[Feature]:
        return [feature for part in self.parts for feature in part.features()]

    def bound(self, kept: Kept) -> Condition:
        return replace(self, parts=tuple(part.bound(kept) for part in self.parts))

    def fields(self) -> frozenset[str]:
        return frozenset().union(*(part.fields() for part in self.parts))

    def since_fired(self) -> bool:
        return any(part.since_fired() for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf(All):
    """At least one part holds; the evidence is that of every part that does."""

    def holds(self, now: Now) -> Answer:
        found: Answer = None
        for part in self.parts:
            answer = part.holds(now)
            if answer is not None:
                found = answer if found is None else found + answer
        return found


@dataclass(frozen=True, slots=True)
class NoneOf(All):
    """No part holds. What is absent leaves no evidence."""

    def holds(self, now: Now) -> Answer:
        for part in self.parts:
            if part.holds(now) is not None:
                return None
        return ()


@dataclass(frozen=True, slots=True)
class Field(Condition):
    """A comparison on a field of the triggering event."""

    name: str
    test: str
    value: object

    def holds(self, now: Now) -> Answer:
        return () if TESTS[self.test](now.data.get(self.name), self.value) else None

    def changes(self, now: Now) -> int:
        return FOREVER

    def features(self) -> Iterable[Feature]:
        return ()

    def bound(self, kept: Kept) -> Condition:
        return self

    def fields(self) -> frozenset[str]:
        return frozenset({self.name})


def _is_in(found: object, expected: object) -> bool:
    return found in cast(list[object], expected)


def _at_least(found: object, expected: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and found >= cast(float, expected)


def _at_most(found: object, expected: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and found <= cast(float, expected)


TESTS: Mapping[str, Callable[[object, object], bool]] = {
    "is": eq,
    "is_not": ne,
    "in": _is_in,
    "at_least": _at_least,
    "at_most": _at_most,
}
"""How a field's value is compared with the expected one; a missing field is no number and equals nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfMatters(Condition):
    """Something holds of a matter of this kind whose latest opening says ``where``; ``same`` names the one meant.

    ``place``, ``feature``, ``asked``: where matters are kept, and of what is kept of them, where the values of
    ``where`` must be. ``said`` takes these out of a matter's facts; ``expected``: what it must find.
    """

    is_open: ClassVar[bool] = True

    entity: str
    where: Where = ()
    same: str | None = None
    same_is_key: bool = False
    place: int = -1
    feature: MattersOf | None = None
    asked: tuple[int, ...] = ()
    said: Callable[[tuple[object, ...]], object] | None = field(init=False, repr=False, compare=False)
    expected: object = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = tuple([value for _, value in self.where])
        object.__setattr__(self, "said", itemgetter(*self.asked) if self.asked else None)
        object.__setattr__(self, "expected", values[0] if len(values) == 1 else values)

    def _meant(self, now: Now) -> Collection[Matter]:
        """Those that are open or closed as they must be, and of which ``where`` is said."""
        matters = cast(Matters, now.derived.states[self.place])
        wanted = None if self.same is None else now.key if self.same_is_key else now.data.get(self.same)
        if wanted is None:
            chosen: Collection[Matter] = (matters.open if self.is_open else matters.closed).values()
        else:
            chosen = self._named(str(wanted), matters, now)
        said, expected = self.said, self.expected
        if said is None or not chosen:
            return chosen
        # nothing is said of a matter while nobody has opened it
        return [one for one in chosen if one.facts and said(one.facts) == expected]

    def _named(self, wanted: str, matters: Matters, now: Now) -> Collection[Matter]:
        matter = matters.get(wanted) or self._recalled(wanted, now)
        return () if matter is None or matter.open is not self.is_open else (matter,)

    def _recalled(self, wanted: str, now: Now) -> Matter | None:
        """The matter of that id, if it may be meant although it is no longer kept."""
        return None

    def _horizon(self) -> int:
        return 0

    def features(self) -> Iterable[Feature]:
        fields = tuple(sorted({*FIELDS[self.entity], *(name for name, _ in self.where)}))
        return (MattersOf(self.entity, self._horizon(), fields),)

    def bound(self, kept: Kept) -> Condition:
        (own,) = self.features()
        feature = kept.feature(own)
        assert isinstance(feature, MattersOf)
        asked = tuple(feature.fields.index(name) for name, _ in self.where)
        return replace(self, place=kept.place(own), feature=feature, asked=asked)

    def fields(self) -> frozenset[str]:
        return frozenset({self.same}) if self.same else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(OfMatters):
    """It is open."""

    def holds(self, now: Now) -> Answer:
        meant = self._meant(now)
        if not meant:
            return None
        return tuple([Found(one.changed, self.where, MATTER) for one in meant if one.changed is not None]) or None

    def changes(self, now: Now) -> int:
        return FOREVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(OfMatters):
    """It is closed, and was closed in a window (µs) before; 0: whenever."""

    is_open: ClassVar[bool] = False
    within: int = 0

    def holds(self, now: Now) -> Answer:
        after = now.t - self.within if self.within else BEFORE_ALL
        found = []
        for matter in self._meant(now):
            changed = matter.changed
            if changed is not None and changed.at > after:
                found.append(Found(changed, self.where, MATTER))
        return tuple(found) or None

    def changes(self, now: Now) -> int:
        return _earliest([self._leaves(matter) for matter in self._meant(now)], now.t) if self.within else FOREVER

    def _leaves(self, matter: Matter) -> int:
        """When it leaves the window (µs)."""
        return FOREVER if matter.changed is None else matter.changed.at + self.within

    def _recalled(self, wanted: str, now: Now) -> Matter | None:
        if self.within or self.feature is None:
            return None
        return self.feature.recalled(wanted, now.derived.at + 1, now.context)

    def _horizon(self) -> int:
        return self.within if self.within or self.same_is_key else FOREVER  # a trigger may name none


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue(OfMatters):
    """It is an open invoice that somebody warned of, so many days after its due date."""

    days: int = 0

    def holds(self, now: Now) -> Answer:
        found = []
        for matter in self._meant(now):
            bill = matter.bill
            if bill is not None and bill.warned is not None and now.t >= self._since(matter):
                found.append(Found(bill.warned, self.where, MATTER))
        return tuple(found) or None

    def changes(self, now: Now) -> int:
        return _earliest([self._since(matter) for matter in self._meant(now)], now.t)

    def _since(self, matter: Matter) -> int:
        """Since when it is that long overdue (µs)."""
        bill = matter.bill
        return FOREVER if bill is None or bill.warned is None or bill.due is None else bill.due + self.days * DAY


def _earliest(instants: Iterable[int], t: int) -> int:
    """The first of them after ``t`` (µs), ``FOREVER`` if there is none."""
    return min((at for at in instants if at > t), default=FOREVER)


@dataclass(frozen=True, slots=True)
class Seen(Condition):
    """Something of these streams happened: in a window before, or (``within`` 0) since the match fired."""

    streams: tuple[str, ...]
    where: Where = ()
    within: int = 0
    place: int = -1

    def holds(self, now: Now) -> Answer:
        latest = cast(Ref | None, now.derived.states[self.place])
        after = now.t - self.within if self.within else now.fired
        return None if latest is None or latest.at <= after else (Found(latest, self.where),)

    def changes(self, now: Now) -> int:
        latest = cast(Ref | None, now.derived.states[self.place])
        if latest is None or not self.within or latest.at + self.within <= now.t:
            return FOREVER
        return latest.at + self.within

    def features(self) -> Iterable[Feature]:
        return (Latest(self.streams, self.where),)

    def since_fired(self) -> bool:
        return not self.within

    def bound(self, kept: Kept) -> Condition:
        (own,) = self.features()
        return replace(self, place=kept.place(own))


@dataclass(frozen=True, slots=True)
class UnansweredContacts(Condition):
    """At least so many outbound contacts in a window, each with no outcome ``answered`` and nothing engaged since."""

    at_least: int
    within: int
    place: int = -1

    def holds(self, now: Now) -> Answer:
        contacts = cast(Contacts, now.derived.states[self.place]).unanswered
        least, after = self.at_least, now.t - self.within
        if least > 0 and (len(contacts) < least or contacts[-least].at <= after):
            return None
        return tuple([Found(one, (), DEPARTMENT) for one in contacts[-EVIDENCE_LIMIT:] if one.at > after])

    def changes(self, now: Now) -> int:
        contacts = cast(Contacts, now.derived.states[self.place])
        if not 0 < self.at_least <= len(contacts.unanswered):
            return FOREVER
        leaves = contacts.unanswered[-self.at_least].at + self.within
        return leaves if leaves > now.t else FOREVER

    def features(self) -> Iterable[Feature]:
        return (Unanswered(self.within),)

    def bound(self, kept: Kept) -> Condition:
        (own,) = self.features()
        return replace(self, place=kept.place(own))


def first(condition: Condition, now: Now) -> int:
    """The first instant from ``now`` on at which the condition holds if nothing happens; ``FOREVER`` if never.

    ``now`` goes there.
    """
    while condition.holds(now) is None:
        now.t = condition.changes(now)
        if now.t == FOREVER:
            break
    return now.t
