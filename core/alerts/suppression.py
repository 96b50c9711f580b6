"""Suppression: which notified alerts suppress a match, and how many of them are remembered (semantics 1.8).

Without a limit a customer's document would grow with every alert of 400 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..rules.rule import Rule
from ..timeline.entry import DAY
from .alert import Alert

FORGOTTEN_AFTER = 400 * DAY
"""Older matches are not notified, and their alerts are forgotten once they have ended (µs)."""

MOST_ALERTS = 200
"""Most notified alerts that are remembered of a customer."""

MOST_OF_A_RULE = 50
"""Most notified alerts of one rule, with any keys, that stand at an instant or lie less than the cooldown from it."""


class NotifiedAlerts:
    """The notified ``alerts`` of a customer, while matches are decided against them.

    ``decided``: matches up to that instant (µs) are decided for good. ``cooldown``: the longest of any rule (µs).
    ``appended``: the journal's clock (µs).
    """

    def __init__(self, alerts: Iterable[Alert], decided: int, cooldown: int, appended: int) -> None:
        self.alerts = list(alerts)
        self.decided = decided
        self._cooldown = cooldown
        self._appended = appended

    def is_decided(self, time: int) -> bool:
        """Whether a match at ``time`` (µs) can no longer be notified."""
        return time <= self.decided or time <= self._appended - FORGOTTEN_AFTER

    def suppresses(self, rule: Rule, key: str, time: int) -> bool:
        """Whether a match at ``time`` (µs) is suppressed: by a near alert of its rule and key, or by many of its rule.

        Near is an alert that stands at that time, or lies less than the cooldown away, before or after.
        """
        near, name = 0, rule.name
        for alert in self.alerts:
            if alert.rule == name and _is_near(alert, time, rule.cooldown):
                near += 1
                if alert.key == key or near >= MOST_OF_A_RULE:
                    return True
        return False

    def make_room(self, time: int) -> bool:
        """Whether there is room for an alert at ``time`` (µs).

        If the limit is reached, alerts are forgotten that have ended and suppress nothing from ``time`` on, those first
        that stopped suppressing first; what they suppressed is decided for good. If there are none, everything up to
        ``time`` is decided for good.
        """
        if len(self.alerts) >= MOST_ALERTS:
            ended = [
                alert for alert in self.alerts if not alert.standing and alert.suppresses_until(self._cooldown) <= time
            ]
            ended.sort(key=lambda alert: (alert.suppresses_until(self._cooldown), alert.id))
            gone = ended[: len(self.alerts) - MOST_ALERTS + 1]
            self._forget(gone)
            self.decided = max([self.decided, *(alert.suppresses_until(self._cooldown) for alert in gone)])
        if len(self.alerts) < MOST_ALERTS:
            return True
        self.decided = max(self.decided, time)
        return False

    def remember(self, alert: Alert) -> None:
        """Adds a notified alert."""
        self.alerts.append(alert)

    def join(self, alerts: Iterable[Alert]) -> None:
        """Adds alerts of a customer who was merged into this one: those not known here, the latest for which there is
        room.
        """
        known = {alert.name for alert in self.alerts}
        came = [alert for alert in not_forgotten(alerts, self._cooldown, self._appended) if alert.name not in known]
        came.sort(key=lambda alert: (alert.time, alert.id), reverse=True)
        for alert in reversed(came[: max(0, MOST_ALERTS - len(self.alerts))]):
            self.remember(alert._replace(carried=True))

    def _forget(self, gone: Iterable[Alert]) -> None:
        names = {alert.name for alert in gone}
        if not names:
            return
        self.alerts = [alert for alert in self.alerts if alert.name not in names]


def outside_cooldowns(alerts: Sequence[Alert]) -> Callable[[int, Rule, str], bool]:
    """A filter: whether a match at an instant (µs), of a rule and with a key, might be notified beside ``alerts``.

    It rejects what an alert's cooldown suppresses. That an alert stands rejects nothing: it may end at that instant.
    """

    def may_be_told(time: int, rule: Rule, key: str) -> bool:
        name, cooldown = rule.name, rule.cooldown
        for alert in alerts:
            if alert.rule == name and alert.key == key and abs(time - alert.time) < cooldown:
                return False
        return True

    return may_be_told


def not_forgotten(alerts: Iterable[Alert], cooldown: int, appended: int) -> list[Alert]:
    """The alerts that are not forgotten: they stand, or can still suppress a match younger than ``FORGOTTEN_AFTER``.

    ``cooldown``: the longest of any rule; ``appended``: the journal's clock (both µs).
    """
    oldest = appended - FORGOTTEN_AFTER
    return [alert for alert in alerts if alert.standing or alert.suppresses_until(cooldown) > oldest]


def may_be_full(alerts: int) -> bool:
    """Whether some of so many alerts may have to be forgotten."""
    return alerts > MOST_ALERTS


def _is_near(alert: Alert, time: int, cooldown: int) -> bool:
    stands = alert.time <= time and (alert.end is None or time < alert.end)
    return stands or abs(time - alert.time) < cooldown
