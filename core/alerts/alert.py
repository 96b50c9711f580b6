"""An alert: a match that was notified. That is decided once; later the alert is only compared (semantics 1.7, 1.8)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal, NamedTuple

from ..rules.conditions.condition import Evidence
from ..timeline.features import Ref

LABEL = "event"
"""The label of a match that an event triggered; a deadline has a label of its own."""


class Name(NamedTuple):
    """What identifies a match wherever it is computed: rule, instance key, label, and the uid of its trigger."""

    rule: str
    key: str
    label: str
    uid: bytes


class Life(StrEnum):
    """The states in an alert's life, in order; a late event can bring back an archived alert.

    ``STANDING``: its end was not published yet. ``ENDED``: its end was published. ``ARCHIVED``: no event in order can
    affect it, so it is stored apart from the customer. ``FORGOTTEN``: it is not compared and suppresses nothing.
    """

    STANDING = "standing"
    ENDED = "ended"
    ARCHIVED = "archived"
    FORGOTTEN = "forgotten"


class Alert(NamedTuple):
    """A notified alert. Instants in µs.

    ``standing``: its end was not published yet. ``carried``: it came with the merge that is being processed.
    ``evidence``: references to the entries on which it rests beside its trigger; ``None`` once only a late event can
    change the alert, which computes them again. ``version``, ``severity``, ``departments``: of the rule that fired.
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
        """The alert's identity: it stays the same whatever else changes."""
        return Name(self.rule, self.key, self.label, self.uid)

    @property
    def id(self) -> str:
        """The alert id. It follows from the match alone, so it stays the same when the customer gets another id."""
        text = "\n".join(("alert1", self.rule, self.key, self.label, self.uid.hex()))
        return "a_" + hashlib.sha256(text.encode()).hexdigest()[:26]

    def sort_key(self) -> tuple[int, bytes, str, str]:
        """The alert's place in the order of decision, to sort by."""
        return self.time, self.uid, self.rule, self.key

    def has_ended(self, now: int) -> bool:
        """Whether its end has come by ``now`` (µs)."""
        return self.end is not None and self.end <= now

    def suppresses_until(self, cooldown: int) -> int:
        """Until when it can suppress a match (µs): its end, or its time plus the cooldown, whichever is later."""
        return max(self.time if self.end is None else self.end, self.time + cooldown)

    @property
    def ending(self) -> Literal["resolved", "expired"]:
        """How it ended: ``expired`` by time alone, ``resolved`` because what it warned of is over."""
        return "expired" if self.end == self.expires else "resolved"


def digest(entries: Iterable[Ref]) -> str:
    """Eight hex digits that change when the evidence does. ``entries``: the evidence, each once, in timeline order."""
    names = [f"{entry.at} {entry.uid.hex()}" for entry in entries]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
