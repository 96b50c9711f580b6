"""What a run of the demo came to, for programs and in one line."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from cli.words import count

from .manifest import Outcome, differences


@dataclass(frozen=True, slots=True)
class Summary:
    """``events`` published, ``seconds`` since the command began. ``late``: what was waited for when time was up."""

    events: int
    seconds: float
    expected: Outcome
    found: Outcome
    late: str | None = None

    @property
    def ok(self) -> bool:
        """Exactly the expected came, in time."""
        return not self.differences

    @property
    def differences(self) -> list[str]:
        """What is missing or too much, in words."""
        waited = [] if self.late is None else [f"out of time, waiting for {self.late}"]
        return waited + differences(self.expected, self.found)

    def plain(self) -> dict[str, Any]:
        """As JSON-able data. ``alerts`` counts, by rule, the alerts that departments were told of, whatever became of
        them; ``states`` says what did.
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
