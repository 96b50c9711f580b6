"""How long acknowledgements are waited for."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest

from cli import publication
from cli.problem import Problem
from cli.publication import _Sending


class Place(NamedTuple):
    """What aiokafka says of an acknowledged record."""

    topic: str
    partition: int
    offset: int


class Slow:
    """A producer whose broker acknowledges a record each ``pause`` seconds, up to ``last`` of them."""

    def __init__(self, pause: float, last: int) -> None:
        self._pause = pause
        self._last = last
        self._sent = 0
        self._free = 0.0

    async def partitions_for(self, topic: str) -> set[int]:
        return {0}

    async def send(self, topic: str, *_: Any, **__: Any) -> asyncio.Future[Place]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Place] = loop.create_future()
        self._sent += 1
        if self._sent <= self._last:
            self._free = max(self._free, loop.time()) + self._pause
            loop.call_at(self._free, future.set_result, Place(topic, 0, self._sent - 1))
        return future


def send(producer: Any, number: int) -> _Sending:
    async def all_of_it() -> _Sending:
        sending = _Sending(producer, int)
        await sending.all(("t", b"x", None, ()) for _ in range(number))
        return sending

    return asyncio.run(all_of_it())


@pytest.mark.parametrize("waiting", [1, 5_000])
def test_the_wait_is_for_the_next_acknowledgement_not_for_all(waiting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "STALLED", 1.5)
    monkeypatch.setattr(publication, "WAITING", waiting)
    sending = send(Slow(0.2, 10), 10)  # two seconds in all
    assert {("t", 0): ("t", 0, 9)} == sending.last


def test_when_nothing_moves_any_more_it_ends_with_how_much_was_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "STALLED", 0.5)
    with pytest.raises(Problem, match=r"it acknowledged nothing for 0 s\): 3 were acknowledged"):
        send(Slow(0.01, 3), 10)
