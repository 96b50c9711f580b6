"""The memory of notification: which notified alerts keep a match silent, and how many are remembered (semantics 1.8).

Without a bound a customer's document would grow with every alert of 400 days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .event import DAY
from .matching import LABEL, Trigger

SETTLED_AFTER = 400 * DAY
"""Matches older than this are history: neither notified nor remembered."""

MOST_ALERTS = 200
"""Notified alerts of a customer that are remembered."""

MOST_OF_A_RULE = 50
"""Notified alerts of one rule, whatever their keys, that stand at an instant or lie less than the cooldown from it."""


class Alert(NamedTuple):
    """A match that was notified. ``open`` until its end went out; ``carried`` when it came with a merge just now.

    Once only a late event can change it, which finds them again, it is kept without ``evidence``, ``reason`` and
    ``action``.
    """

    id: str
    rule: str
    version: int
    key: str
    uid: str
    time: int
    end: int | None
    expires: int | None
    digest: str
    severity: str
    departments: tuple[str, ...]
    label: str = LABEL
    reason: str = ""
    action: str = ""
    evidence: tuple[Mapping[str, Any], ...] = ()
    historical: bool = False
    open: bool = True
    carried: bool = False


class Memory:
    """The notified ``alerts`` of a customer, while matches are decided against them.

    ``settled``: matches up to that instant (µs) are decided for good. ``cooldown``: the longest of any rule (µs).
    ``clock``: the journal's (µs).
    """

    def __init__(self, alerts: Iterable[Alert], settled: int, cooldown: int, clock: int) -> None:
        self.alerts = list(alerts)
        self.settled = settled
        self._cooldown = cooldown
        self._clock = clock
        self._of_key: dict[tuple[str, str], list[Alert]] = {}
        for alert in self.alerts:
            self._index(alert)

    def is_settled(self, time: int) -> bool:
        """Whether a match of this time is not notified any more."""
        return time <= max(self._clock - SETTLED_AFTER, self.settled)

    def silences(self, trigger: Trigger) -> bool:
        """Whether a match of this trigger is not told: an alert of its rule and key is near, or many of its rule are.

        Near is what stands at its time, or lies less than the cooldown away, before or after.
        """
        rule = trigger.rule
        if any(_is_near(alert, trigger) for alert in self._of_key.get((rule.name, trigger.key), ())):
            return True
        if len(self.alerts) < MOST_OF_A_RULE:
            return False
        others = (alert for alert in self.alerts if alert.rule == rule.name)
        return sum(_is_near(alert, trigger) for alert in others) >= MOST_OF_A_RULE

    def make_room(self, time: int) -> bool:
        """Whether there is room for an alert of this time.

        Alerts that have ended and keep nothing silent any more by then are forgotten for it, those first that have not
        for longest; what they kept silent is settled. If there are none, whatever lies up to ``time`` is.
        """
        if len(self.alerts) >= MOST_ALERTS:
            over = [alert for alert in self.alerts if not alert.open and self._reach(alert) <= time]
            over.sort(key=lambda alert: (self._reach(alert), alert.id))
            gone = over[: len(self.alerts) - MOST_ALERTS + 1]
            self._forget(gone)
            self.settled = max([self.settled, *map(self._reach, gone)])
        if len(self.alerts) < MOST_ALERTS:
            return True
        self.settled = max(self.settled, time)
        return False

    def remember(self, alert: Alert) -> None:
        """It is notified."""
        self.alerts.append(alert)
        self._index(alert)

    def join(self, alerts: Iterable[Alert]) -> None:
        """Alerts of a customer who was merged into this one: those that are not known here, the latest for which there
        is room.
        """
        known = {alert.id for alert in self.alerts}
        came = [alert for alert in remembered(alerts, self._cooldown, self._clock) if alert.id not in known]
        came.sort(key=lambda alert: (alert.time, alert.id), reverse=True)
        for alert in reversed(came[: max(0, MOST_ALERTS - len(self.alerts))]):
            self.remember(alert._replace(carried=True))

    def _reach(self, alert: Alert) -> int:
        return reach(alert, self._cooldown)

    def _forget(self, gone: Iterable[Alert]) -> None:
        ids = {alert.id for alert in gone}
        if not ids:
            return
        self.alerts = [alert for alert in self.alerts if alert.id not in ids]
        for alerts in self._of_key.values():
            alerts[:] = [alert for alert in alerts if alert.id not in ids]

    def _index(self, alert: Alert) -> None:
        self._of_key.setdefault((alert.rule, alert.key), []).append(alert)


def remembered(alerts: Iterable[Alert], cooldown: int, clock: int) -> list[Alert]:
    """Without those that are history altogether at ``clock`` (µs): ended, and all that they could silence is settled.

    ``cooldown``: the longest of any rule (µs).
    """
    history = clock - SETTLED_AFTER
    return [alert for alert in alerts if alert.open or reach(alert, cooldown) > history]


def is_nearly_full(alerts: int) -> bool:
    """Whether with so many alerts some may have to be forgotten."""
    return alerts > MOST_ALERTS


def reach(alert: Alert, cooldown: int) -> int:
    """Up to when it can keep a match silent (µs): its end, or its time and the cooldown."""
    return max(alert.time if alert.end is None else alert.end, alert.time + cooldown)


def _is_near(alert: Alert, trigger: Trigger) -> bool:
    time = trigger.entry.at
    stands = alert.time <= time and (alert.end is None or time < alert.end)
    return stands or abs(time - alert.time) < trigger.rule.cooldown
