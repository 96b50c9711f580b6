"""Time limits in own time: the time in which this process could work (``OwnTime``), not only the clock's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from engine.kafka.errors import Fatal
from runtime.own_time import STEP, OwnTime, queued


class TimeLimit:
    """A running time limit, which calls ``over`` when it is up. It reads the clock each time the event loop lets it."""

    def __init__(self, seconds: float, over: Callable[[], None]) -> None:
        self._seconds = seconds
        self._over = over
        self._loop = asyncio.get_running_loop()
        self._spent: OwnTime | None = None
        self._next = self._loop.call_later(min(STEP, seconds), self._look)

    def renew(self) -> None:
        """Restart the limit: there was progress."""
        self._spent = OwnTime(self._loop.time(), queued())

    def end(self) -> None:
        """End the limit."""
        self._next.cancel()

    def _look(self) -> None:
        if self._spent is None:  # most waits end before the first check, and need not read the queue
            self._spent = OwnTime(self._loop.time() - min(STEP, self._seconds), queued())
        if self._spent.turn(self._loop.time(), queued()) >= self._seconds:
            self._over()
        else:
            left = self._seconds - self._spent.seconds
            self._next = self._loop.call_later(min(STEP, left + 0.001), self._look)


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[TimeLimit]:
    """Like ``asyncio.timeout``: raises ``TimeoutError`` when the block takes longer, in own time."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        waiting = TimeLimit(seconds, lambda: limit.reschedule(loop.time()))
        try:
            yield waiting
        finally:
            waiting.end()


@asynccontextmanager
async def limited(seconds: float, complaint: str) -> AsyncIterator[TimeLimit]:
    """Raises ``Fatal`` with the complaint when the block takes longer, in own time."""
    try:
        async with time_limit(seconds) as waiting:
            yield waiting
    except TimeoutError as error:
        raise Fatal(f"{complaint} within {seconds:g} s") from error


async def ended(tasks: Collection[asyncio.Future[Any]], seconds: float) -> bool:
    """Wait at most ``seconds`` of own time for all ``tasks`` to end; they are not cancelled. Whether all ended."""
    try:
        async with time_limit(seconds):
            await asyncio.wait(tasks)
    except TimeoutError:
        pass
    return all(task.done() for task in tasks)
