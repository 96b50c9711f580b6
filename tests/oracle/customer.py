"""A customer's timeline and alerts, record by record of the journal (semantics 1.2, 1.8; design: merges)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .entry import Arrival, History
from .matches import matches
from .notification import Alert, Notified, Said
from .rules import Rules


class Written(NamedTuple):
    """A record of the timeline: an entry, or (``None``) that it left."""

    uid: str
    arrival: Arrival | None
    late: bool = False
    moved: bool = False


class Refused(NamedTuple):
    """An event that took the id of another."""

    arrival: Arrival


Outcome = Written | Refused | Said


@dataclass(slots=True)
class Move:
    """The past of a customer who was merged away, as it must travel. ``arriving``: what was on its way to them."""

    name: str
    to: str
    arrivals: list[Arrival]
    alerts: list[Alert]
    arriving: Mapping[str, int]
    decided: int
    until: int


@dataclass(slots=True)
class Customer:
    """One customer. ``arriving``: parts still to come, by move; before that nothing is judged.

    ``until`` (1.1) is that of their partition, ``appended`` as long as there are no ticks, or that of a move.
    """

    id: str
    rules: Rules
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    notified: Notified = field(init=False)
    until: int = -1
    latest: int = -1
    arriving: dict[str, int] = field(default_factory=dict)
    into: str | None = None
    _history: History | None = None

    def __post_init__(self) -> None:
        self.notified = Notified(self.rules)

    @property
    def now(self) -> int:
        """1.1: ``max(until, the largest at that an entry of theirs ever had)``."""
        return max(self.until, self.latest)

    def history(self) -> History:
        """T."""
        if self._history is None:
            self._history = History(arrival.entry for arrival in self.arrivals.values() if not arrival.note)
        return self._history

    def take(self, came: Arrival, appended: int, *, replay: bool) -> list[Outcome]:
        """An event: a new entry is judged at once, unless a move is under way. A copy that is no earlier changes
        nothing.
        """
        self.until = max(self.until, appended)
        out = self._add(came, moved=False)
        if any(isinstance(one, Written) for one in out) and not self.arriving:
            out += self._judge(appended, replay=replay)
        return out

    def take_part(
        self, move: Move, parts: int, brought: Sequence[Arrival], appended: int, *, last: bool
    ) -> list[Outcome]:
        """A part of a move. When nothing is missing any more, everything is judged once."""
        self.until = max(self.until, appended)
        out = [one for came in brought for one in self._add(came, moved=True)]
        left = self.arriving.pop(move.name, parts) - 1
        if left:
            self.arriving[move.name] = left
        if last:
            self.notified.join(move.alerts, move.decided, appended)
            self.arriving.update(move.arriving)
            self.until = max(self.until, move.until)
        if not self.arriving:
            out += self._judge(appended)
        return out

    def _judge(self, appended: int, *, replay: bool = False) -> list[Said]:
        return self.notified.judge(matches(self.history(), self.rules), appended, self.now, replay=replay)

    def leave(self, into: str, version: int, appended: int) -> tuple[list[Outcome], Move]:
        """This customer is ``into``: standing alerts are retracted for this id, the entries leave, and a redirect
        stays.
        """
        self.until = max(self.until, appended)
        said, alerts = self.notified.leave(appended)
        gone = sorted(self.arrivals.values(), key=lambda arrival: (arrival.entry.at, arrival.entry.uid))
        name, decided = f"{self.id}/{version}", self.notified.decided
        move = Move(name, into, gone, alerts, dict(self.arriving), decided, self.until)
        self.arrivals, self.arriving, self.into, self._history = {}, {}, into, None
        return [*said, *(Written(arrival.entry.uid, None) for arrival in gone)], move

    def _add(self, came: Arrival, *, moved: bool) -> list[Outcome]:
        """1.2: copies count once, at their smallest instant; of other content with that uid the first stands."""
        known = self.arrivals.pop(came.entry.uid, None)
        if known is not None and (not known.same(came) or known.entry.at <= came.entry.at):
            self.arrivals[came.entry.uid] = known
            return [] if known.same(came) else [Refused(came)]
        others = [other for other in self.arrivals.values() if not other.note]
        late = not came.note and any(other.entry.at > came.entry.at for other in others)
        self.arrivals[came.entry.uid] = came
        self.latest = max(self.latest, -1 if came.note else came.entry.at)
        self._history = None
        return [Written(came.entry.uid, came, late, moved)]
