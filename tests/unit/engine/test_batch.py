"""A batch is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.batch import Batch, batches, commit
from engine.errors import Gap
from engine.lane import Fetched, Lane


def test_done_is_told_once() -> None:
    told: list[str] = []
    batch = Batch("t", 0, [], 0, 1, lambda: told.append("done"))
    batch.done()
    batch.done()
    assert ["done"] == told


def test_a_batch_is_done_after_its_commit_and_not_when_that_fails() -> None:
    told: list[str] = []

    async def taken(offsets: Mapping[Any, int]) -> None:
        told.append(f"commit {sorted(offsets.values())}")

    async def fail(_offsets: Mapping[Any, int]) -> None:
        raise TimeoutError

    def two(on_commit: Callable[[Mapping[Any, int]], Awaitable[object]]) -> list[Batch]:
        return [Batch("t", p, [], 0, p + 5, lambda: told.append("done"), on_commit) for p in range(2)]

    asyncio.run(commit(two(taken)))
    assert ["commit [5, 6]", "done", "done"] == told
    with pytest.raises(TimeoutError):
        asyncio.run(commit(two(fail)))
    assert ["commit [5, 6]", "done", "done"] == told


@dataclass
class Handed:
    """A stream that hands these values to an agent, as Faust's does: message, topic and app are itself."""

    values: Sequence[Fetched]
    value: Fetched | None = None
    topic: str = "t"
    partition: int = 3
    tp: tuple[str, int] = ("t", 3)
    told: list[str] = field(default_factory=list)

    @property
    def app(self) -> Any:
        return self

    consumer = message = app

    def noack(self) -> Handed:
        return self

    async def commit_offsets(self, _offsets: object) -> None:
        """As Faust's consumer."""

    async def events(self) -> AsyncIterator[Handed]:
        for value in self.values:
            self.value = value
            yield self

    def ack(self) -> None:
        self.told.append("ack")

    def room(self) -> None:
        self.told.append("room")


def test_a_hole_between_two_batches_of_a_stream_is_an_error() -> None:
    lane, again = Lane(0, 0), Lane(20, 20)
    stream = Handed(
        [Fetched((), 0, 4, lane), Fetched((), 4, 9, lane), Fetched((), 20, 22, again), Fetched((), 10, 12, lane)]
    )
    found: list[tuple[int, int]] = []

    async def agent() -> None:
        async for batch in batches(stream):
            found.append((batch.start, batch.end))
            batch.done()

    with pytest.raises(Gap, match="expected offset 9, got a batch from 10 on"):
        asyncio.run(agent())
    assert [(0, 4), (4, 9), (20, 22)] == found, "a lane that began anew after a rebalance has no hole"
    assert (["ack", "room"] * 3, 2) == (stream.told, lane.done)
