"""What the bus would tell of a history that came all at once: what a peer's alerts are held against."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from core.alerts.history import matches
from core.alerts.message import sentence
from core.alerts.notification import decide
from core.alerts.suppression import NotifiedAlerts
from core.rules.ruleset import RuleSet
from core.timeline.entry import BEFORE_ALL, Entry


class Notified(NamedTuple):
    """An alert as a peer tells it."""

    id: str
    rule: str
    key: str
    reason: str


def notified(entries: Iterable[Entry], rules: RuleSet, clock: int) -> list[Notified]:
    """The alerts, in the order in which they are decided. ``clock`` in µs."""
    found = matches(entries, rules)
    memory = NotifiedAlerts([], BEFORE_ALL, rules.longest_cooldown, clock)
    alerts = decide(found, memory, clock, clock, replay=False)
    data = {match.name: match.data for match in found}
    return [
        Notified(alert.id, alert.rule, alert.key, sentence(rules.rules[alert.rule].reason, data[alert.name]))
        for alert in alerts
    ]
