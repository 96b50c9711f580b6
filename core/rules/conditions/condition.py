"""The contract of conditions. Each answers with the entries that made it true, or ``None``.

Conditions are judged *as of* an instant: by what is known of all entries up to then, ties included. A window of
``within`` is open on the left and closed on the right, ``(t - within, t]``. What a condition asks about is kept by a
fold (``core.timeline.features``); once it knows where (``bound``), it can be asked.
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
"""How many entries a count names as evidence: the latest ones."""


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


class Evidence(Struct, frozen=True, gc=False, array_like=True):
    """An entry that made a condition true. Of what it says, ``where`` did, and the id of its ``MATTER``, or whose it is
    (``DEPARTMENT``); 0: neither.
    """

    entry: Ref
    where: Where = ()
    names: int = 0


Answer = tuple[Evidence, ...] | None


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


def earliest(instants: Iterable[int], t: int) -> int:
    """The first of them after ``t`` (µs), ``FOREVER`` if there is none."""
    return min((at for at in instants if at > t), default=FOREVER)


def first(condition: Condition, now: Now) -> int:
    """The first instant from ``now`` on at which the condition holds if nothing happens; ``FOREVER`` if never.

    ``now`` goes there.
    """
    while condition.holds(now) is None:
        now.t = condition.changes(now)
        if now.t == FOREVER:
            break
    return now.t
