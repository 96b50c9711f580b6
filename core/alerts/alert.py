"""An alert: a match that was notified. Decided once, then only compared (semantics 1.7, 1.8)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal, NamedTuple

from ..rules.conditions.condition import Evidence
from ..timeline.features import Ref

LABEL = "event"
"""The label of a match triggered by an event; a deadline has its own."""


class Name(NamedTuple):
    """What makes a match the same for everybody: rule, instance key, label, and the uid of its trigger."""

    rule: str
    key: str
    label: str
    uid: bytes


class Life(StrEnum):
    """The life of an alert, in its order; a late event may bring back what is archived.

    ``STANDING``: its end was not said. ``ENDED``: it was. ``ARCHIVED``: nothing in order can concern it; the customer
    keeps it apart. ``FORGOTTEN``: it is neither compared with anything nor keeps anything silent.
    """

    STANDING = "standing"
    ENDED = "ended"
    ARCHIVED = "archived"
    FORGOTTEN = "forgotten"


class Alert(NamedTuple):
    """``standing`` until its end went out; ``carried`` when it came with a merge just now. Instants in µs.

    ``evidence``: what it rests on beside its trigger, by reference; ``None`` once only a late event can change it,
    which finds it again. ``version``, ``severity``, ``departments``: of the rule that fired.
    """

    rule: str
    key: str
    label: str
    uid: bytes
    time: int
    end: int | None
    expires: int | None
    version: int
    severity: str
    departments: tuple[str, ...]
    digest: str
    historical: bool = False
    standing: bool = True
    carried: bool = False
    evidence: tuple[Evidence, ...] | None = None

    @property
    def name(self) -> Name:
        """It is the same alert whatever changes."""
        return Name(self.rule, self.key, self.label, self.uid)

    @property
    def id(self) -> str:
        """The same for everybody who sees this match, whatever happens to the customer's id."""
        text = "\n".join(("alert1", self.rule, self.key, self.label, self.uid.hex()))
        return "a_" + hashlib.sha256(text.encode()).hexdigest()[:26]

    def place(self) -> tuple[int, bytes, str, str]:
        """Where it stands in the order of decision."""
        return self.time, self.uid, self.rule, self.key

    def has_ended(self, now: int) -> bool:
        """Whether its end has come."""
        return self.end is not None and self.end <= now

    def reach(self, cooldown: int) -> int:
        """Up to when it can keep a match silent (µs): its end, or its time and the cooldown."""
        return max(self.time if self.end is None else self.end, self.time + cooldown)

    @property
    def ending(self) -> Literal["resolved", "expired"]:
        """How it ended: by time alone (``expired``), or because what it warned of is over (``resolved``)."""
        return "expired" if self.end == self.expires else "resolved"


def digest(entries: Iterable[Ref]) -> str:
    """Eight hex digits that change when what an alert rests on changes: ``entries``, each once, in timeline order."""
    names = [f"{entry.at} {entry.uid.hex()}" for entry in entries]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
