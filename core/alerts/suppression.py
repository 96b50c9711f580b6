"""The memory of notification: which notified alerts keep a match silent, and how many are remembered (semantics 1.8).

Without a bound a customer's document would grow with every alert of 400 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..rules.rule import Rule
from ..timeline.entry import DAY
from .alert import Alert

FORGOTTEN_AFTER = 400 * DAY
"""Older matches are not notified, and alerts of them that have ended are forgotten."""

MOST_ALERTS = 200
"""Notified alerts of a customer that are remembered."""

MOST_OF_A_RULE = 50
"""Notified alerts of one rule, whatever their keys, that stand at an instant or lie less than the cooldown from it."""


class Memory:
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
        """Whether a match of this time is not notified any more."""
        return time <= self.decided or time <= self._appended - FORGOTTEN_AFTER

    def silences(self, rule: Rule, key: str, time: int) -> bool:
        """Whether a match at ``time`` is not told: an alert of its rule and key is near, or many of its rule are.

        Near is what stands at its time, or lies less than the cooldown away, before or after.
        """
        near, name = 0, rule.name
        for alert in self.alerts:
            if alert.rule == name and _is_near(alert, time, rule.cooldown):
                near += 1
                if alert.key == key or near >= MOST_OF_A_RULE:
                    return True
        return False

    def make_room(self, time: int) -> bool:
        """Whether there is room for an alert of this time.

        Alerts that have ended and keep nothing silent any more by then are forgotten for it, those first that have not
        for longest; what they kept silent is decided for good. If there are none, whatever lies up to ``time`` is.
        """
        if len(self.alerts) >= MOST_ALERTS:
            ended = [alert for alert in self.alerts if not alert.standing and alert.reach(self._cooldown) <= time]
            ended.sort(key=lambda alert: (alert.reach(self._cooldown), alert.id))
            gone = ended[: len(self.alerts) - MOST_ALERTS + 1]
            self._forget(gone)
            self.decided = max([self.decided, *(alert.reach(self._cooldown) for alert in gone)])
        if len(self.alerts) < MOST_ALERTS:
            return True
        self.decided = max(self.decided, time)
        return False

    def remember(self, alert: Alert) -> None:
        """It is notified."""
        self.alerts.append(alert)

    def join(self, alerts: Iterable[Alert]) -> None:
        """Alerts of a customer who was merged into this one: those that are not known here, the latest for which there
        is room.
        """
        known = {alert.name for alert in self.alerts}
        came = [alert for alert in remembered(alerts, self._cooldown, self._appended) if alert.name not in known]
        came.sort(key=lambda alert: (alert.time, alert.id), reverse=True)
        for alert in reversed(came[: max(0, MOST_ALERTS - len(self.alerts))]):
            self.remember(alert._replace(carried=True))

    def _forget(self, gone: Iterable[Alert]) -> None:
        names = {alert.name for alert in gone}
        if not names:
            return
        self.alerts = [alert for alert in self.alerts if alert.name not in names]


def not_silenced(alerts: Sequence[Alert]) -> Callable[[int, Rule, str], bool]:
    """Whether a match at an instant (µs), of a rule and with a key, might be told beside these.

    What an alert's cooldown keeps silent stays silent; one that stands may end at that very instant.
    """

    def may_be_told(time: int, rule: Rule, key: str) -> bool:
        name, cooldown = rule.name, rule.cooldown
        for alert in alerts:
            if alert.rule == name and alert.key == key and abs(time - alert.time) < cooldown:
                return False
        return True

    return may_be_told


def remembered(alerts: Iterable[Alert], cooldown: int, appended: int) -> list[Alert]:
    """Without those that are forgotten by now: ended, and all that they could keep silent is, too.

    ``cooldown``: the longest of any rule; ``appended``: the journal's clock (both µs).
    """
    history = appended - FORGOTTEN_AFTER
    return [alert for alert in alerts if alert.standing or alert.reach(cooldown) > history]


def may_be_full(alerts: int) -> bool:
    """Whether with so many alerts some may have to be forgotten."""
    return alerts > MOST_ALERTS


def _is_near(alert: Alert, time: int, cooldown: int) -> bool:
    stands = alert.time <= time and (alert.end is None or time < alert.end)
    return stands or abs(time - alert.time) < cooldown
