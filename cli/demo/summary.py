"""The result of a run of the demo, as JSON and as one line."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from cli.words import count

from .manifest import Outcome, differences


@dataclass(frozen=True, slots=True)
class Summary:
    """``events`` of the story, ``seconds`` since the command began. ``late``: what the time-out interrupted."""

    events: int
    seconds: float
    expected: Outcome
    found: Outcome
    late: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the outcome is exactly the expected one, in time."""
        return not self.differences

    @property
    def differences(self) -> list[str]:
        """What is missing or too much, as text."""
        waited = [] if self.late is None else [f"out of time, waiting for {self.late}"]
        return waited + differences(self.expected, self.found)

    def plain(self) -> dict[str, Any]:
        """JSON-serialisable. ``alerts``: rule → number of alerts that were sent, in any state; ``states``: rule → state
        → number.
        """
        states: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for alert in self.found.alerts:
            states[alert.rule][alert.state] += 1
        return {
            "ok": self.ok,
            "events": self.events,
            "customers": self.found.customers,
            "merges": sum(self.found.merges.values()),
            "alerts": {rule: sum(counts.values()) for rule, counts in states.items()},
            "states": {rule: dict(counts) for rule, counts in states.items()},
            "dead": sum(self.found.dead.values()),
            "reasons": dict(self.found.dead),
            "seconds": round(self.seconds, 1),
            "differences": self.differences,
        }

    def __str__(self) -> str:
        alerts, merges, dead = len(self.found.alerts), sum(self.found.merges.values()), sum(self.found.dead.values())
        return ", ".join((count(alerts, "alert"), count(merges, "merge"), count(dead, "dead letter")))
