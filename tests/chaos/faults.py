"""Faults: what each does to a running bus, and the schedule of them that a seed makes, again and again the same."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

ZOMBIE_SECONDS = 13.0
"""Longer than the session of 10 s: the group goes on without the frozen worker."""
SHORT_SECONDS, LONG_SECONDS = 15.0, 60.0
"""How long a broker is frozen, or away."""
APART_SECONDS = 8.0
"""Between the steps of one fault, so that each step's pause can be told from the next one's."""


class Victim(Protocol):
    """The running bus, as faults know it. ``pick`` (0 to 1) says which worker."""

    def mark(self, what: str) -> None:
        """From this moment on the bus is asked to be back at work."""

    async def work(self, seconds: float) -> None:
        """Lets time pass, as a supervisor does."""

    async def settled(self) -> None:
        """Waits until the workers have caught up, so that what follows can be told from what was before."""

    async def kill(self, pick: float, *, lose: bool = False, count: int = 1) -> None:
        """SIGKILL; with ``lose`` the state directory is gone too; ``count`` workers at once."""

    async def freeze(self, pick: float, seconds: float) -> None:
        """SIGSTOP, and after that time SIGCONT."""

    async def leave(self, pick: float) -> None:
        """Tells a worker to stop, and waits for it."""

    def join(self, count: int = 1) -> None:
        """Starts workers."""

    async def freeze_broker(self, seconds: float) -> None:
        """SIGSTOP, and after that time SIGCONT."""

    async def kill_broker(self, seconds: float) -> None:
        """SIGKILL, and after that time a new one on the same port and data."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A name, and what it does. ``calm``: it waits for a settled bus, because its pause is to be measured."""

    name: str
    strike: Callable[[Victim, float], Awaitable[None]]
    calm: bool = True


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault in a schedule: after ``pause`` seconds, on the worker that ``pick`` chooses."""

    fault: Fault
    pause: float
    pick: float


async def _kill(bus: Victim, pick: float) -> None:
    await bus.kill(pick)


async def _kill_two(bus: Victim, pick: float) -> None:
    await bus.kill(pick, count=2)


async def _lose(bus: Victim, pick: float) -> None:
    await bus.kill(pick, lose=True)


async def _zombie(bus: Victim, pick: float) -> None:
    await bus.freeze(pick, ZOMBIE_SECONDS)


async def _leave(bus: Victim, pick: float) -> None:
    await bus.leave(pick)
    await bus.work(APART_SECONDS)
    bus.join()


async def _scale(bus: Victim, pick: float) -> None:
    """From two workers to one, to three, to one, and back to two."""
    await bus.leave(pick)
    await bus.work(APART_SECONDS)
    bus.join(2)
    await bus.work(2 * APART_SECONDS)
    await bus.leave(pick)
    await bus.leave(1 - pick)
    await bus.work(APART_SECONDS)
    bus.join()


def _broker(
    what: Callable[[Victim, float], Awaitable[None]], seconds: float
) -> Callable[[Victim, float], Awaitable[None]]:
    async def strike(bus: Victim, _pick: float) -> None:
        await what(bus, seconds)

    return strike


async def _freeze_broker(bus: Victim, seconds: float) -> None:
    await bus.freeze_broker(seconds)


async def _kill_broker(bus: Victim, seconds: float) -> None:
    await bus.kill_broker(seconds)


FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("kill", _kill, calm=False),
        Fault("kill-two", _kill_two, calm=False),
        Fault("lose", _lose, calm=False),
        Fault("zombie", _zombie),
        Fault("leave", _leave),
        Fault("scale", _scale),
        Fault("broker-freeze", _broker(_freeze_broker, SHORT_SECONDS)),
        Fault("broker-freeze-long", _broker(_freeze_broker, LONG_SECONDS)),
        Fault("broker-kill", _broker(_kill_broker, 0)),
        Fault("broker-kill-long", _broker(_kill_broker, LONG_SECONDS)),
    )
}


def schedule(counts: Mapping[str, int], seed: int, longest: float) -> list[Planned]:
    """So many of each fault in random order, each after at most ``longest`` seconds; every third within two seconds.

    Raises ``KeyError`` for a fault that nobody knows.
    """
    chance = random.Random(seed)
    faults = [FAULTS[name] for name, count in sorted(counts.items()) for _ in range(count)]
    chance.shuffle(faults)
    return [
        Planned(fault, chance.uniform(0.2, 2 if chance.random() < 1 / 3 else longest), chance.random())
        for fault in faults
    ]
