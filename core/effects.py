"""What an event means for the rules in force, found once for each event type and for what its content decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

from .event import Entry
from .features import Ref, Taken
from .invoices import CREDIT, OVERDUE, PAYMENT
from .rule import Rule
from .streams import Streams, is_contact, is_engaged, matter_of, streams_of
from .vocabulary import EventType


@dataclass(frozen=True, slots=True)
class Bearing:
    """What events of certain streams mean: the ``places`` that take them in, the rules that they trigger, and the names
    of those of which they can end a match, or move its end.
    """

    places: tuple[int, ...]
    judged: tuple[Rule, ...]
    ends: frozenset[str]


@dataclass(frozen=True, slots=True)
class Effects:
    """What an event means. ``places``, ``judged``, ``ends``: as its streams' ``Bearing``; ``any``: whether somebody
    looks at it.

    ``contact``, which its own outcome ``answered``; the customer ``engaged``. By itself it ``opens`` or ``closes`` its
    matter, or ``may_close`` one that others opened.
    """

    places: tuple[int, ...]
    judged: tuple[Rule, ...]
    ends: frozenset[str]
    any: bool
    contact: bool
    answered: bool
    engaged: bool
    opens: bool
    closes: bool
    may_close: bool


class Meaning:
    """What events of one type mean. It depends on few values of few fields: for these it is worked out once."""

    __slots__ = ("_effects", "_has_matter", "_kind", "_named", "_plain")

    def __init__(self, kind: EventType, bearing: Callable[[Streams], Bearing]) -> None:
        self._kind, self._has_matter = kind, kind.entity is not None
        named = _named(kind)
        self._named = tuple(named.items())
        self._effects = {
            (about, *values): _effects(kind, dict(zip(named, values, strict=True)), bearing, about=about)
            for about in (False, True)
            for values in product(*named.values())
        }
        self._plain = None if named else (self._effects[False,], self._effects[True,])

    def taken(self, entry: Entry) -> Taken:
        """The entry, of this type, as it is folded. Raises ``ValueError`` if its uid is not hexadecimal."""
        kind, data = self._kind, entry.data
        matter = matter_of(kind, data) if self._has_matter else None
        about = matter is not None
        effects = self._plain[about] if self._plain else self._effects[about, *self._decisive(data)]
        return Taken(entry, kind, effects, matter, effects.contact, Ref(entry.at, bytes.fromhex(entry.uid)))

    def _decisive(self, data: Mapping[str, object]) -> list[object]:
        """What an event says in the fields that decide, where it matters."""
        return [value if (value := data.get(name)) in values else _OTHER for name, values in self._named]


_OTHER = object()
"""Any value that decides nothing."""


def _effects(
    kind: EventType, data: Mapping[str, object], bearing_of: Callable[[Streams], Bearing], *, about: bool
) -> Effects:
    """Of events of this type and content; ``about``: it names a matter."""
    bearing = bearing_of(streams_of(kind, data, about=about))
    opens, closes = about and _opens(kind, data), about and _closes(kind, data)
    return Effects(
        bearing.places,
        bearing.judged,
        bearing.ends,
        any=bool(bearing.places or bearing.judged),
        contact=is_contact(kind, data),
        answered=kind.holds(kind.answered, data),
        engaged=is_engaged(kind, data),
        opens=opens,
        closes=closes,
        may_close=about and _may_close(kind, closes=closes),
    )


def _named(kind: EventType) -> dict[str, tuple[object, ...]]:
    """The fields that decide what an event of this type means, with the values on which that depends."""
    found: dict[str, tuple[object, ...]] = {}
    closes_when = None if kind.entity is None else kind.entity.closes_when
    for when in (kind.outbound, kind.answered, kind.engaged, closes_when):
        for name, values in (when or {}).items():
            found[name] = tuple(dict.fromkeys((*found.get(name, (None, _OTHER)), *values)))
    return found


def _opens(kind: EventType, data: Mapping[str, object]) -> bool:
    """Whether the event says that there is such a matter, open or not."""
    role = kind.entity
    if role is None:
        return False
    moves_on = role.closes_when is not None and not kind.holds(role.closes_when, data)
    return role.role == "opens" or moves_on or kind.name == OVERDUE


def _closes(kind: EventType, data: Mapping[str, object]) -> bool:
    """Whether the event closes a case or an opportunity by itself."""
    role = kind.entity
    return role is not None and (role.role == "closes" or kind.holds(role.closes_when, data))


def _may_close(kind: EventType, *, closes: bool) -> bool:
    """Whether the event can close a matter that others opened."""
    role = kind.entity
    if role is None or role.role == "opens":
        return False
    return closes or kind.name in (PAYMENT, CREDIT)
