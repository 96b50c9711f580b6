"""What a fold keeps of the entries, as small values: a ``Feature`` for each thing that conditions ask about.

A feature takes in all entries of an instant at once. A state is never changed but replaced: to keep an earlier one is
to keep a reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from msgspec import Struct

from .entry import BEFORE_ALL, Entry
from .streams import CONTACT, ENGAGED
from .vocabulary import EventType

if TYPE_CHECKING:  # rules ask about features
    from ..rules.effects import Effects

Word = str | int | float | bool
"""A value that a rule compares with."""

Where = tuple[tuple[str, Word], ...]
"""Fields and the values that are asked for."""


class Ref(Struct, frozen=True, gc=False, array_like=True, order=True):
    """An entry by name; what it says is looked up when somebody is told. Ordered as the timeline is."""

    at: int
    uid: bytes


def ref(entry: Entry) -> Ref:
    """The name of an entry. Raises ``ValueError`` if its uid is not hexadecimal."""
    return Ref(entry.at, bytes.fromhex(entry.uid))


@dataclass(slots=True)
class Taken:
    """An entry that is taken in: its type, what it means, kind and id of the ``matter`` that it is about, its name."""

    entry: Entry
    kind: EventType
    effects: Effects
    matter: tuple[str, str] | None
    ref: Ref


class Context(Protocol):
    """What taking in and asking need beside states."""

    def matter(self, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Taken]:
        """The entries of a matter from an instant on and ``before`` another (µs), in order: its state may have been
        dropped.
        """
        ...

    def remembered(self, kind: str, name: str, before: int) -> tuple[int, object] | None:
        """An instant (µs), ``before`` at the latest, and the state of a matter that follows from the entries before it.
        ``None``: none is at hand.
        """
        ...

    def remember(self, kind: str, name: str, until: int, state: object) -> None:
        """The state of a matter that follows from its entries before ``until`` (µs): it may be kept."""
        ...


class Feature(Protocol):
    """How a state follows from the entries of ``streams``. ``name``: features of the same name are kept as one.

    Each has states of a type of its own; a rule set holds all kinds of them.
    """

    @property
    def name(self) -> object: ...
    @property
    def streams(self) -> tuple[str, ...]: ...
    def empty(self) -> object: ...
    def take(self, state: object, together: Sequence[Taken], context: Context) -> object:
        """The state once the entries of the next instant, in their order, are known, too."""
        ...

    def joined(self, other: Feature) -> Feature:
        """What serves both, of the same name."""
        ...


@dataclass(frozen=True, slots=True)
class Latest(Feature):
    """The latest entry of these streams whose fields have these values."""

    streams: tuple[str, ...]
    where: Where = ()

    @property
    def name(self) -> object:
        """All of it."""
        return self

    def empty(self) -> Ref | None:
        """Nothing was seen."""
        return None

    def take(self, state: object, together: Sequence[Taken], context: Context) -> object:
        """The last one that is meant, or what was known before."""
        for one in reversed(together):
            if not self.where or self._is_meant(one):
                return one.ref
        return state

    def _is_meant(self, one: Taken) -> bool:
        data, kept = one.entry.data, one.kind.kept
        return tuple([(name, kept(data, name)) for name, _ in self.where]) == self.where

    def joined(self, other: Feature) -> Feature:
        """They are equal."""
        return self


class Contacts(Struct, frozen=True, gc=False, array_like=True):
    """Contacts that nobody answered since the customer was ``engaged`` last (µs), in order."""

    engaged: int = -1
    unanswered: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Unanswered(Feature):
    """``horizon``: older contacts are dropped (µs)."""

    horizon: int

    @property
    def name(self) -> object:
        """There is one."""
        return "unanswered"

    @property
    def streams(self) -> tuple[str, ...]:
        """What is a contact, and what answers it."""
        return CONTACT, ENGAGED

    def empty(self) -> Contacts:
        """Nobody was contacted."""
        return Contacts()

    def take(self, state: object, together: Sequence[Taken], context: Context) -> Contacts:
        """What engages answers all contacts up to its instant."""
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
        """The one that reaches further back."""
        assert isinstance(other, Unanswered)
        return Unanswered(max(self.horizon, other.horizon))
