"""The contract of conditions. A condition answers with its evidence, the entries that made it true, or ``None``.

Conditions are evaluated *as of* an instant: on all entries up to then, ties included. A window of ``within`` is open on
the left and closed on the right, ``(t - within, t]``. What a condition asks about is kept by a feature of the fold
(``core.timeline.features``); once the condition is ``bound`` to it, it can be evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from ...timeline.derived import Derived
from ...timeline.entry import FOREVER
from ...timeline.features import Context, Feature, Ref, Where

EVIDENCE_LIMIT = 20
"""Most entries that a count names as evidence: the latest ones."""


@dataclass(slots=True)
class Now:
    """What a condition is evaluated on: the state, the instant ``t`` (µs), the trigger's fields and key, and when the
    match fired (µs). ``t`` can be later than the state, if no entry comes until then.

    ``data`` is empty when the question is whether a standing match is resolved.
    """

    derived: Derived
    context: Context
    t: int
    data: Mapping[str, object]
    key: str
    fired: int


MATTER, DEPARTMENT = 1, 2


class Evidence(Struct, frozen=True, gc=False, array_like=True):
    """An entry that made a condition true. ``where``: the fields and values in it that did. ``names``: what else the
    message shows of it: the id of its ``MATTER``, its ``DEPARTMENT``, or nothing (0).
    """

    entry: Ref
    where: Where = ()
    names: int = 0


Answer = tuple[Evidence, ...] | None


class FeatureIndex(Protocol):
    """Where features are kept."""

    def place(self, feature: Feature) -> int: ...
    def feature(self, feature: Feature) -> Feature:
        """The feature as it is kept: it also serves other conditions."""
        ...


class Condition(Protocol):
    """The contract of every condition; ``holds`` and ``changes`` are called once it is ``bound``.

    ``changes``: the first instant (µs) after ``now.t`` at which it may begin or cease to hold if no entry comes.
    """

    def holds(self, now: Now) -> Answer: ...
    def changes(self, now: Now) -> int: ...
    def features(self) -> Iterable[Feature]: ...
    def bound(self, kept: FeatureIndex) -> Condition: ...
    def fields(self) -> frozenset[str]:
        """The fields of the trigger that it reads."""
        return frozenset()

    def since_fired(self) -> bool:
        """Whether the answer depends on when the match fired."""
        return False


def first(condition: Condition, now: Now) -> int:
    """The first instant (µs) from ``now.t`` on at which the condition holds if no entry comes; ``FOREVER`` if never.

    Sets ``now.t`` to it.
    """
    while condition.holds(now) is None:
        now.t = condition.changes(now)
        if now.t == FOREVER:
            break
    return now.t
