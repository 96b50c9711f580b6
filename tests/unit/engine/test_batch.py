"""A batch is done once."""

from __future__ import annotations

import asyncio

import pytest

from engine.batch import Batch


def test_done_is_told_once() -> None:
    told: list[str] = []
    batch = Batch("t", 0, [], 0, 1, lambda: told.append("done"))
    batch.done()
    batch.done()
    assert ["done"] == told


def test_a_batch_is_done_after_its_commit_and_not_when_that_fails() -> None:
    told: list[str] = []

    async def commit() -> None:
        told.append("commit")

    async def fail() -> None:
        raise TimeoutError

    asyncio.run(Batch("t", 0, [], 0, 1, lambda: told.append("done"), commit).commit())
    assert ["commit", "done"] == told
    with pytest.raises(TimeoutError):
        asyncio.run(Batch("t", 0, [], 0, 1, lambda: told.append("done"), fail).commit())
    assert ["commit", "done"] == told
