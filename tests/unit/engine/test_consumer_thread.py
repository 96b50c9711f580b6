"""The consumer's thread: what it alone may touch."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.faust.consumer_thread import ConsumerThread
from engine.kafka.limits import Fetch


class Untouchable:
    """Belongs to another thread's event loop."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for in the wrong thread")


async def closed_by_the_main_thread() -> None:
    thread = ConsumerThread.__new__(ConsumerThread)
    thread.app = cast("Any", SimpleNamespace(loop=asyncio.get_running_loop()))
    thread._consumer = cast("Any", SimpleNamespace(_client=Untouchable(), _coordinator=Untouchable(), _closed=False))
    thread.close()
    await asyncio.sleep(0)
    assert not thread._consumer._closed, "it would not leave the group any more"


def test_a_rebalance_that_meets_a_worker_which_ends_leaves_the_threads_connections_alone() -> None:
    asyncio.run(closed_by_the_main_thread())


class Fetched:
    """What a consumer has fetched of some partitions."""

    closed = False

    def __init__(self, *waiting: str) -> None:
        self.waiting = list(waiting)

    def next(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()


class Filling(ConsumerThread):
    """Counts how often buffers are filled."""

    def __init__(self) -> None:
        self.thread_loop = asyncio.get_running_loop()
        self.consumer = cast("Any", SimpleNamespace(flow_active=True))
        self._host = cast("Any", SimpleNamespace(fetch=Fetch(gather=0.0)))
        self._news = self._room = None
        self.fills = 0

    async def _fill(self, fetches: Any) -> None:
        self.fills += 1


async def turns() -> None:
    """Of the event loop, as many as anything may need."""
    for _ in range(20):
        await asyncio.sleep(0)


async def fills(fetched: Fetched, rooms: int) -> int:
    """How often, when a batch is done that many times and nothing new is fetched."""
    thread = Filling()
    filling = asyncio.create_task(thread._fill_buffers(cast("Any", fetched)))
    for _ in range(rooms):
        await turns()
        thread.room()
    await turns()
    filling.cancel()
    return thread.fills


def test_what_had_no_room_is_taken_as_soon_as_a_batch_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.faust.consumer_thread.REFILL_SECONDS", 60.0)
    assert 4 == asyncio.run(fills(Fetched("a partition"), 3))


def test_a_batch_that_is_done_wakes_nobody_when_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.faust.consumer_thread.REFILL_SECONDS", 60.0)
    assert 1 == asyncio.run(fills(Fetched(), 3))
