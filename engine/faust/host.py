"""What the transport needs of the application it runs in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from engine.kafka.errors import Fatal
from engine.kafka.limits import Fetch


class Ownership(Protocol):
    """Whoever must know which partitions of a topic this worker owns (see ``TransactionalPartitions``)."""

    @property
    def topic(self) -> str:
        """The input topic."""

    @property
    def progress_topic(self) -> str:
        """Where it notes how far it is."""

    @property
    def ready(self) -> bool:
        """All that is owned is open for batches."""

    async def assigned(self, partitions: Iterable[int]) -> None:
        """These partitions are owned from now on, and no others."""

    async def revoked(self, partitions: Iterable[int]) -> None:
        """These partitions may belong to someone else as soon as this returns."""

    async def close(self) -> None:
        """The worker ends."""


class Host(Protocol):
    """See :class:`engine.faust.application.Application`."""

    @property
    def fetch(self) -> Fetch:
        """How records are fetched."""

    @property
    def instance(self) -> str:
        """Who this worker is to its group, over all its lives."""

    @property
    def failure(self) -> Fatal | None:
        """Why the process ends; ``None`` when it was told to, or does not."""

    @property
    def timely(self) -> set[str]:
        """Topics whose batches are handed out in the order of their broker time, across partitions."""

    @property
    def listeners(self) -> Sequence[Ownership]:
        """Told about assignments."""

    def lost(self, topic: str, partition: int, records: int) -> None:
        """See :meth:`engine.transactional.observer.Observer.lost`."""

    def fatal(self, error: Fatal) -> None:
        """The process must end."""
