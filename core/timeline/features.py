"""What a fold keeps of the entries, as small values: a ``Feature`` for each thing that conditions ask about.

A feature applies all entries of an instant at once. A state is never changed but replaced, so an earlier one is kept by
keeping a reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from msgspec import Struct

from .entry import BEFORE_ALL, Entry
from .streams import CONTACT, ENGAGED
from .vocabulary import EventType

if TYPE_CHECKING:  # at run time a circle: rules import features
    from ..rules.effects import Effects

Word = str | int | float | bool
"""A value that a rule compares with."""

Where = tuple[tuple[str, Word], ...]
"""Fields and the values that they must have."""


class Ref(Struct, frozen=True, gc=False, array_like=True, order=True):
    """A reference to an entry, whose content is looked up when a message needs it. Ordered as the timeline is."""

    at: int
    uid: bytes


def ref(entry: Entry) -> Ref:
    """The reference to an entry. Raises ``ValueError`` if its uid is not hexadecimal."""
    return Ref(entry.at, bytes.fromhex(entry.uid))


@dataclass(slots=True)
class Taken:
    """An entry as the fold reads it: its type, its meaning, kind and id of the ``matter`` it is about, a reference."""

    entry: Entry
    kind: EventType
    effects: Effects
    matter: tuple[str, str] | None
    ref: Ref


class Context(Protocol):
    """What features and conditions need beside the states."""

    def matter(self, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Taken]:
        """The entries about a matter from ``since`` on and before ``before`` (µs), in order: its state may have been
        dropped.
        """
        ...

    def cached_matter(self, kind: str, name: str, before: int) -> tuple[int, object] | None:
        """The latest cached state of a matter, as (instant, state): it includes the entries before that instant, which
        is ``before`` at the latest (µs). ``None``: none is cached.
        """
        ...

    def cache_matter(self, kind: str, name: str, until: int, state: object) -> None:
        """Offers the cache a state of a matter: the one that follows from its entries before ``until`` (µs)."""
        ...


class Feature(Protocol):
    """How a state follows from the entries of ``streams``. Features of the same ``name`` are kept as one.

    Each kind of feature has its own type of state; a rule set holds all kinds. A dataclass takes a property that it
    inherits for a default: its field ``streams`` stands behind those that have none.
    """

    @property
    def name(self) -> object: ...
    @property
    def streams(self) -> tuple[str, ...]: ...
    def empty(self) -> object: ...
    def take(self, state: object, together: Sequence[Taken], context: Context) -> object:
        """The state after the entries of the next instant, which come in order."""
        ...

    def joined(self, other: Feature) -> Feature:
        """One feature that serves both; ``other`` has the same name."""
        ...


@dataclass(frozen=True, slots=True)
class Latest(Feature):
    """The latest entry of these streams whose fields have the values ``where``."""

    streams: tuple[str, ...]
    where: Where = ()

    @property
    def name(self) -> object:
        """The feature itself: only equal ones are kept as one."""
        return self

    def empty(self) -> Ref | None:
        """No entry was seen."""
        return None

    def take(self, state: object, together: Sequence[Taken], context: Context) -> object:
        """The last entry that has the values, or the one known before."""
        for one in reversed(together):
            if not self.where or self._is_meant(one):
                return one.ref
        return state

    def _is_meant(self, one: Taken) -> bool:
        data, kept = one.entry.data, one.kind.kept
        return tuple([(name, kept(data, name)) for name, _ in self.where]) == self.where

    def joined(self, other: Feature) -> Feature:
        """This one: both are equal."""
        return self


class Contacts(Struct, frozen=True, gc=False, array_like=True):
    """Unanswered contacts since the customer last ``engaged`` (µs), in order."""

    engaged: int = -1
    unanswered: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Unanswered(Feature):
    """The unanswered contacts. ``horizon``: older ones are dropped (µs)."""

    horizon: int

    @property
    def name(self) -> object:
        """Always the same: there is one such feature."""
        return "unanswered"

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams of contacts, and of what answers them."""
        return CONTACT, ENGAGED

    def empty(self) -> Contacts:
        """No contact was seen."""
        return Contacts()

    def take(self, state: object, together: Sequence[Taken], context: Context) -> Contacts:
        """An entry by which the customer engaged answers all contacts up to its instant."""
        at, before = together[0].entry.at, cast(Contacts, state)
        kept = before.unanswered
        if kept and kept[0].at <= at - self.horizon:
            kept = tuple([one for one in kept if one.at > at - self.horizon])
        for one in together:
            if one.effects.engaged:
                return Contacts(at)
            if not one.effects.answered:
                kept = (*kept, one.ref)
        return Contacts(before.engaged, kept)

    def joined(self, other: Feature) -> Feature:
        """One that reaches back as far as both."""
        assert isinstance(other, Unanswered)
        return Unanswered(max(self.horizon, other.horizon))
