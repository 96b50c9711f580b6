"""What the bus would tell of a history that came all at once: what a peer's alerts are held against."""

from __future__ import annotations

from collections.abc import Iterable

from core.event import Entry
from core.matching import triggers_in
from core.notification import Alert, notify
from core.rule import RuleSet
from core.timeline import Timeline


def notified(entries: Iterable[Entry], rules: RuleSet, clock: int) -> list[Alert]:
    """The alerts, in the order in which they are decided. ``clock`` in µs."""
    history = sorted(entries)
    timeline = Timeline.of(rules.plan, history)
    return notify(triggers_in(history, rules), [], timeline, clock, replay=False)[0]
