"""The events of the engine, for an application's metrics. No metrics library here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Observer(Protocol):
    """Called from the event loop, often: implementations only count. Times are in seconds."""

    def batch(
        self, topic: str, partition: int, records: int, outputs: int, decide_seconds: float, commit_seconds: float
    ) -> None:
        """One unit of work is durable. ``records`` may be 0: only transaction markers were read."""

    def lost(self, topic: str, partition: int, records: int) -> None:
        """Retention has deleted at most ``records`` offsets before they were read. They can only be reported."""

    def foreign(self, topic: str, partition: int, offsets: Sequence[int]) -> None:
        """Records at these offsets were not written by the bus; they are skipped."""

    def fenced(self, topic: str, partition: int, seconds: float) -> None:
        """The partition is fenced: only this worker can still write for it."""

    def restored(self, topic: str, partition: int, records: int, seconds: float) -> None:
        """The partition's state was rebuilt from ``records`` records."""

    def kept(self, topic: str, partition: int) -> None:
        """The partition came back to this worker without another owner in between: its state was kept."""


class SilentObserver:
    """An observer that counts nothing."""

    def batch(
        self, topic: str, partition: int, records: int, outputs: int, decide_seconds: float, commit_seconds: float
    ) -> None:
        """Does nothing."""

    def lost(self, topic: str, partition: int, records: int) -> None:
        """Does nothing."""

    def foreign(self, topic: str, partition: int, offsets: Sequence[int]) -> None:
        """Does nothing."""

    def fenced(self, topic: str, partition: int, seconds: float) -> None:
        """Does nothing."""

    def restored(self, topic: str, partition: int, records: int, seconds: float) -> None:
        """Does nothing."""

    def kept(self, topic: str, partition: int) -> None:
        """Does nothing."""
