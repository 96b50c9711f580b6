"""What the engine tells about its work, so that an application can count it. No metrics library here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Observer(Protocol):
    """Called from the event loop, often: implementations only count. Times are in seconds."""

    def batch(
        self, topic: str, partition: int, records: int, outputs: int, decide_seconds: float, commit_seconds: float
    ) -> None:
        """One unit of work is durable. ``records`` may be 0: only transaction markers were passed."""

    def lost(self, topic: str, partition: int, records: int) -> None:
        """Kafka has deleted so many offsets (at most) before they were read. There is nothing to do but to say so."""

    def foreign(self, topic: str, partition: int, offsets: Sequence[int]) -> None:
        """Records at these offsets were not written by the bus; they are passed over."""

    def fenced(self, topic: str, partition: int, seconds: float) -> None:
        """This worker is the only one that can still write for the partition."""

    def restored(self, topic: str, partition: int, records: int, seconds: float) -> None:
        """The partition's state was rebuilt from ``records`` records."""

    def kept(self, topic: str, partition: int) -> None:
        """The partition came back to this worker and nobody had owned it in between: its state was kept."""


class Silent:
    """An observer that counts nothing."""

    def batch(
        self, topic: str, partition: int, records: int, outputs: int, decide_seconds: float, commit_seconds: float
    ) -> None:
        """Nothing."""

    def lost(self, topic: str, partition: int, records: int) -> None:
        """Nothing."""

    def foreign(self, topic: str, partition: int, offsets: Sequence[int]) -> None:
        """Nothing."""

    def fenced(self, topic: str, partition: int, seconds: float) -> None:
        """Nothing."""

    def restored(self, topic: str, partition: int, records: int, seconds: float) -> None:
        """Nothing."""

    def kept(self, topic: str, partition: int) -> None:
        """Nothing."""
