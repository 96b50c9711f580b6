"""The interface of the application that the transport runs in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from engine.kafka.errors import Fatal
from engine.kafka.limits import Fetch


class Ownership(Protocol):
    """Must know which partitions of a topic this worker owns (see ``TransactionalPartitions``)."""

    @property
    def topic(self) -> str:
        """The input topic."""

    @property
    def progress_topic(self) -> str:
        """The topic to which it writes its progress."""

    @property
    def ready(self) -> bool:
        """Whether all owned partitions are open for batches."""

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
        """This worker's group instance id, the same after a restart."""

    @property
    def failure(self) -> Fatal | None:
        """Why the process ends; ``None`` if it does not end, or was asked to."""

    @property
    def timely(self) -> set[str]:
        """Topics whose batches are delivered in the order of their broker time, across partitions."""

    @property
    def listeners(self) -> Sequence[Ownership]:
        """Owners that are notified of assignments."""

    def lost(self, topic: str, partition: int, records: int) -> None:
        """See :meth:`engine.transactional.observer.Observer.lost`."""

    def fatal(self, error: Fatal) -> None:
        """The process must end."""
