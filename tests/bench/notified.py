"""What the bus would tell of a history that came all at once: what a peer's alerts are held against."""

from __future__ import annotations

from collections.abc import Iterable

from core.matching import triggers_in
from core.state import BEFORE_ALL
from core.timeline import Timeline

from core.event import Entry
from core.memory import Alert, Memory
from core.notification import notify
from core.rule import RuleSet


def notified(entries: Iterable[Entry], rules: RuleSet, clock: int) -> list[Alert]:
    """The alerts, in the order in which they are decided. ``clock`` in µs."""
    history = sorted(entries)
    timeline = Timeline.of(rules.plan, history)
    memory = Memory([], BEFORE_ALL, rules.longest_cooldown, clock)
    notify(triggers_in(history, rules), memory, timeline, clock, replay=False)
    return memory.alerts
