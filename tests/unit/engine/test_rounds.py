"""A batch is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from faust.types import TP

from engine.faust.partition_buffer import Fetched, PartitionBuffer, Round
from engine.faust.rounds import rounds
from engine.kafka.errors import Gap
from engine.kafka.memory_budget import MemoryBudget
from engine.transactional.batch import Batch, commit


def test_done_is_told_once() -> None:
    told: list[str] = []
    batch = Batch("t", 0, [], 0, 1, lambda: told.append("done"))
    batch.done()
    batch.done()
    assert ["done"] == told


def test_batches_are_done_when_their_ends_are_noted_for_the_next_commit() -> None:
    told: list[str] = []

    def noted(offsets: Mapping[Any, int]) -> None:
        told.append(f"commit {sorted(offsets.values())}")

    commit([Batch("t", p, [], 0, p + 5, lambda: told.append("done"), noted) for p in range(2)])
    assert ["commit [5, 6]", "done", "done"] == told


@dataclass
class Handed:
    """A stream that hands these values to an agent, as Faust's does: message and app are itself."""

    values: Sequence[Round]
    value: Round | None = None
    told: list[str] = field(default_factory=list)

    @property
    def app(self) -> Any:
        return self

    consumer = message = app

    def noack(self) -> Handed:
        return self

    def commit_offsets(self, _offsets: object) -> None:
        """As Faust's consumer."""

    async def events(self) -> AsyncIterator[Handed]:
        for value in self.values:
            self.value = value
            yield self

    def ack(self) -> None:
        self.told.append("ack")

    def room(self) -> None:
        self.told.append("room")


async def through(stream: Handed) -> list[tuple[int, int]]:
    """What an agent gets, which deals with each at once."""
    found: list[tuple[int, int]] = []
    async for together in rounds(stream):
        for batch in together:
            found.append((batch.start, batch.end))
            batch.done()
    return found


def test_a_hole_between_two_batches_of_a_partition_is_an_error() -> None:
    buffer, again, place = PartitionBuffer(0, 0), PartitionBuffer(20, 20), TP("t", 3)
    following = [Fetched((), 0, 4, buffer), Fetched((), 4, 9, buffer), Fetched((), 20, 22, again)]
    stream = Handed([{place: fetched} for fetched in following])
    assert [(0, 4), (4, 9), (20, 22)] == asyncio.run(through(stream)), "a buffer that began anew has no hole"
    assert (["ack", "room"] * 3, 2) == (stream.told, buffer.done)
    with pytest.raises(Gap, match="partition 3 of t: expected offset 9, got a batch from 10 on"):
        asyncio.run(through(Handed([{place: Fetched((), 10, 12, buffer)}])))


def test_a_hole_before_the_first_batch_that_an_agent_sees_is_an_error() -> None:
    buffer, place = PartitionBuffer(8, 8), TP("t", 3)
    buffer.fill(8, 448, ())
    dropped = buffer.next_batch()
    buffer.fill(448, 450, ())
    seen = buffer.next_batch()
    assert dropped is not None
    assert seen is not None
    with pytest.raises(Gap, match="partition 3 of t: expected offset 8, got a batch from 448 on"):
        asyncio.run(through(Handed([{place: seen}])))
    assert [(8, 448), (448, 450)] == asyncio.run(through(Handed([{place: dropped}, {place: seen}])))


def test_what_was_fetched_together_comes_together_and_is_acknowledged_when_all_of_it_is_done() -> None:
    one, other = PartitionBuffer(0, 0), PartitionBuffer(5, 5)
    stream = Handed([{TP("t", 3): Fetched((), 0, 4, one), TP("t", 4): Fetched((), 5, 6, other)}])
    assert [(0, 4), (5, 6)] == asyncio.run(through(stream))
    assert ["room", "ack", "room"] == stream.told
    assert (1, 1) == (one.done, other.done)


def test_a_part_of_a_batch_counts_as_progress_of_its_partition() -> None:
    async def story() -> tuple[int, int]:
        buffer = PartitionBuffer(0, 0)
        async for (batch,) in rounds(Handed([{TP("t", 3): Fetched((), 0, 4, buffer)}])):
            batch.part()
            batch.part()
            batch.done()
        return buffer.parts, buffer.done

    assert (2, 1) == asyncio.run(story())


def test_what_a_batch_has_unpacked_is_released_when_it_is_done() -> None:
    async def story() -> None:
        allowance = MemoryBudget(100)
        buffer = PartitionBuffer(0, 1)
        fetched = Fetched([], 0, 1, buffer, [allowance.reserve(50)])
        async for (batch,) in rounds(Handed([{TP("t", 0): fetched}])):
            assert 50 == allowance.used
            batch.done()
            assert 0 == allowance.used

    asyncio.run(story())
