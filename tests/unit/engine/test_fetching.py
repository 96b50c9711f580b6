"""The consumer's thread: what it alone may touch."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from engine.fetching import ConsumerThread


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
