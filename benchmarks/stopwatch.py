"""How long alerts take: from just before the event is handed to the producer until a committed reader has the alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil


@dataclass(frozen=True, slots=True)
class Delays:
    """In milliseconds. ``missing``: alerts that never came."""

    alerts: int
    missing: int
    p50: float
    p99: float
    most: float


@dataclass(slots=True)
class Stopwatch:
    """Times are in seconds of one clock. What is published before ``begin`` warms up and is not counted."""

    begin: float = float("inf")
    published: dict[str, float] = field(default_factory=dict)
    read: dict[str, float] = field(default_factory=dict)

    def publish(self, key: str, at: float) -> None:
        """An event is about to be sent that must fire the alert of this key."""
        self.published[key] = at

    def alert(self, key: str, at: float) -> None:
        """An alert can be read. Copies for other departments do not count."""
        if key in self.published:
            self.read.setdefault(key, at)

    @property
    def waiting(self) -> int:
        """Alerts that count and are still to come."""
        return sum(at >= self.begin and key not in self.read for key, at in self.published.items())

    def delays(self) -> Delays:
        """Of all that count. Raises ``ValueError`` when none came."""
        came = [self.read[key] - at for key, at in self.published.items() if at >= self.begin and key in self.read]
        if not came:
            raise ValueError("no alert came")
        sizes = sorted(1000 * delay for delay in came)
        return Delays(len(sizes), self.waiting, percentile(sizes, 0.5), percentile(sizes, 0.99), sizes[-1])


def percentile(sizes: Sequence[float], share: float) -> float:
    """The smallest of the sorted ``sizes`` that at least ``share`` of them do not exceed (nearest rank)."""
    return sizes[max(0, ceil(share * len(sizes)) - 1)]
