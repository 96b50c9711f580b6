"""Notification: what is said about a customer's alerts, record by record of the journal (semantics 1.8, ADR 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from .entry import D, Entry, History
from .matches import Match, matches
from .rules import Rules
from .section_four import SECTION_FOUR

State = Literal["fired", "updated", "resolved", "expired", "retracted"]
FORGOTTEN_AFTER = 400 * D
HISTORICAL = D
MOST_ALERTS = 200
MOST_OF_A_RULE = 50


@dataclass(frozen=True, slots=True)
class Alert:
    """A notified match. ``standing`` until its end was said; ``carried``: it came with a merge, and nothing was said
    of it here yet.
    """

    match: Match
    historical: bool
    standing: bool = True
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A message about an alert."""

    state: State
    alert: Alert


@dataclass(slots=True)
class Notified:
    """The memory: the notified alerts of one customer, in the order in which they were notified; and up to when all is
    decided.

    ``appended`` decides what is history, the customer's ``now`` what has ended (1.1).
    """

    rules: Rules
    alerts: list[Alert] = field(default_factory=list)
    decided: int = -1

    def judge(self, held: Sequence[Match], appended: int, now: int, *, replay: bool = False) -> list[Said]:
        """One journal record: what is no match any more is retracted; then every match that is not notified is decided
        in order; then changes and ends are said.
        """
        self.forget(appended)
        matching = {match.id: match for match in held}
        said = [Said("retracted", a) for a in self.alerts if a.match.id not in matching and not a.carried]
        known = [a for a in self.alerts if a.match.id in matching]
        self.alerts = []
        for alert in known:
            message, alert = _changed(alert, matching[alert.match.id], now)
            said += message
            self.alerts.append(alert)
        for match in held:
            if match.time <= max(appended - FORGOTTEN_AFTER, self.decided) or self._hushed(match):
                continue
            if self._has_room(match):
                late = replay or appended - match.time > HISTORICAL
                alert = Alert(match, historical=late, standing=match.end > now)
                said.append(Said("fired" if alert.standing else ending(match), alert))
                self.alerts.append(alert)
        for index, alert in enumerate(self.alerts):
            if alert.standing and alert.match.end <= now:
                self.alerts[index] = replace(alert, standing=False)
                said.append(Said(ending(alert.match), alert))
        return said

    def leave(self, appended: int) -> tuple[list[Said], list[Alert]]:
        """The customer is merged away: standing alerts are retracted for this id, and all go to the other one."""
        self.forget(appended)
        said = [Said("retracted", a) for a in self.alerts if a.standing and not a.carried]
        left, self.alerts = self.alerts, []
        return said, left

    def join(self, alerts: Iterable[Alert], decided: int, appended: int) -> None:
        """Alerts of a customer who was merged into this one: the latest for which there is room."""
        self.forget(appended)
        known = {alert.match.id for alert in self.alerts}
        new = [a for a in alerts if a.match.id not in known and not self._is_history(a, appended)]
        came = sorted(new, key=lambda a: (a.match.time, a.match.id))
        taken = came[max(0, len(came) - max(0, MOST_ALERTS - len(self.alerts))) :]
        self.alerts += [replace(alert, carried=True) for alert in taken]
        self.decided = max(self.decided, decided)

    def _hushed(self, match: Match) -> bool:
        """By one of its rule and key, or by many of its rule."""
        near = [a.match for a in self.alerts if a.match.rule == match.rule and self._is_near(a.match, match)]
        return any(m.key == match.key for m in near) or len(near) >= MOST_OF_A_RULE or self._knows(match)

    def _knows(self, match: Match) -> bool:
        return any(alert.match.id == match.id for alert in self.alerts)

    def _is_near(self, told: Match, match: Match) -> bool:
        """It stands at the match's time, or lies less than the cooldown away."""
        return told.time <= match.time < told.end or abs(told.time - match.time) < self.rules[match.rule].cooldown

    def _has_room(self, match: Match) -> bool:
        """Ended ones that hush nothing at its time any more make room, and settle what they hushed. If nothing does,
        all up to its time is decided.
        """
        ended = [a for a in self.alerts if not a.standing and self._reach(a) <= match.time]
        for alert in sorted(ended, key=lambda a: (self._reach(a), a.match.id)):
            if len(self.alerts) >= MOST_ALERTS:
                self.alerts.remove(alert)
                self.decided = max(self.decided, self._reach(alert))
        if len(self.alerts) < MOST_ALERTS:
            return True
        self.decided = max(self.decided, match.time)
        return False

    def forget(self, appended: int) -> None:
        """What has ended, and reaches no further than 400 d before appended."""
        self.alerts = [a for a in self.alerts if not self._is_history(a, appended)]

    def _is_history(self, alert: Alert, appended: int) -> bool:
        return not alert.standing and self._reach(alert) <= appended - FORGOTTEN_AFTER

    def _reach(self, alert: Alert) -> int:
        """Up to when it can hush anything."""
        longest = max(rule.cooldown for rule in self.rules.values())
        return max(alert.match.end, alert.match.time + longest)


def _changed(before: Alert, match: Match, now: int) -> tuple[list[Said], Alert]:
    """`updated` when the evidence of a standing alert changed, or when later data lets an ended alert stand again, or
    when it came with a merge; the ending once more when a later event moved the end or the evidence of an ended one.
    """
    evidence = match.select_evidence != before.match.select_evidence
    if match.end <= now:
        again = not before.standing and (evidence or match.end != before.match.end)
        alert = replace(before, match=match, carried=False)
        return [Said(ending(match), alert)] if again else [], alert
    alert = replace(before, match=match, standing=True, carried=False)
    return [Said("updated", alert)] if evidence or before.carried or not before.standing else [], alert


def ending(match: Match) -> State:
    """`resolved`, or `expired` when its end is its expiry."""
    return "expired" if match.end == match.expires else "resolved"


def fold(arrivals: Iterable[Entry], clock: int = 0) -> dict[str, Match]:
    """The notified alerts of one customer after these entries arrived in this order; copies are left out."""
    notified = Notified(SECTION_FOUR)
    known: dict[str, Entry] = {}
    for entry in arrivals:
        if entry.uid not in known:
            known[entry.uid] = entry
            now = max(clock, entry.at)
            notified.judge(matches(History(known.values()), SECTION_FOUR), now, now)
    return {alert.match.id: alert.match for alert in notified.alerts}
