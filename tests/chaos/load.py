"""An endless load: one company's six days after the other's, with poison among them, and customers who come back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import orjson

from core.timeline.entry import HOUR
from schemas import instant

from .business import ROUGH, STRUCTURED, Sent, business
from .poison import poison, sprinkled

POISON = 0.01
BACK = 0.04
"""Of a wave's events: so many are of customers of earlier waves, half of them copies."""
REMEMBERED = 4_000
EACH = 30
"""Events of a customer."""
HEAVY = 1_200
"""Events of one customer of each wave, who is merged: they move in several parts."""


class Load:
    """Waves of about ``size`` events. A wave is whole in itself: all merges that its customers need are in it."""

    def __init__(self, seed: int, size: int) -> None:
        self._seed = seed
        self._size = size
        self._waves = 0
        self._people = 0
        self._remembered: list[Sent] = []

    def wave(self, now: int) -> list[Sent]:
        """The next one. ``now`` in µs."""
        chance = random.Random(f"{self._seed}/{self._waves}")
        habits = replace(ROUGH, heavy=1, heavy_share=min(0.2, HEAVY / self._size))
        people = max(2, self._size // EACH)
        sent = business(chance.getrandbits(32), self._size, people, now, habits, self._people)
        bad = poison(chance.getrandbits(32), round(POISON * self._size), now, self._waves)
        back = list(self._back(chance, now))
        self._remember(sent, chance)
        self._people += people
        self._waves += 1
        mixed = sprinkled(sprinkled(sent, bad, chance.getrandbits(32)), back, chance.getrandbits(32))
        return mixed

    def _back(self, chance: random.Random, now: int) -> Iterator[Sent]:
        """A customer of an earlier wave does something again, or a department sends once more what it had sent."""
        for number in range(round(BACK * self._size) if self._remembered else 0):
            once = chance.choice(self._remembered)
            if number % 2:
                yield once
                continue
            event = orjson.loads(once.value)
            event["id"] = f"back-{self._waves}-{number}"
            event["time"] = instant.render(now - chance.randrange(HOUR))
            yield replace(once, value=orjson.dumps(event))

    def _remember(self, sent: list[Sent], chance: random.Random) -> None:
        good = [one for one in sent if one.reason is None and one.headers == STRUCTURED]
        self._remembered += chance.sample(good, min(len(good), REMEMBERED // 4))
        chance.shuffle(self._remembered)
        del self._remembered[REMEMBERED:]
