"""When and in which order what happened is heard, of whom, and who turns out to be whom: up to chance."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .both import Both, Part
from .entry import D, Entry, H, uid_of
from .worlds import START

PEOPLE = ("a", "b", "c", "d")
"""The older first: of two who are one, the older lives on."""
PARTITIONS = 2


class Heard(NamedTuple):
    """An event whose time is ``entry.at``, when the broker had it, and when it comes to the journal (µs)."""

    arrives: int
    received: int
    entry: Entry
    person: str
    replay: bool


class Merge(NamedTuple):
    """An order of the resolver."""

    into: str
    version: int


def arrivals(history: Sequence[Entry], people: Sequence[str], chance: random.Random) -> list[Heard]:
    """With copies; late by up to 401 days, or ahead of the broker's clock."""
    disorder = chance.choice([0, 0, 2, H // 2, H, D, 3 * D, 8 * D, 100 * D])
    far, lag = (chance.choice([0, 0, 0.1, 0.3]) for _ in range(2))
    ahead = chance.choice([0, 0, 0.3, 1])
    heard = []
    told = [(e, chance.choice(people)) for e in history]
    for e, person in [*told, *chance.choices(told, k=len(told) // chance.choice([1, 4, 4]))]:
        received = e.at + chance.randint(0, disorder)
        if chance.random() < far:
            received = e.at + chance.choice([100 * D, 400 * D, 401 * D, 408 * D]) + chance.choice([-1, 0, 0, 1])
        elif chance.random() < ahead:
            received = e.at - chance.choice([0, 1, H // 4, H, 5 * H])
        arrives = received + (chance.choice([0, 1, H, D]) if chance.random() < lag else 0)
        heard.append(Heard(arrives, received, e, person, chance.random() < 0.05))
    return sorted(heard, key=lambda one: one.arrives)


def answer(at: int, number: int) -> Entry:
    """A department's answer to some alert: it is outside of the timeline."""
    data = {"alertId": "a_1", "customerId": "a", "department": "sales", "by": "kim", "customer": {"name": "Nobody"}}
    return Entry(at, uid_of("answers", str(number)), "bus.alert.acknowledged.v1", "answers", str(number), data)


class Journals:
    """A log for each customer, read in its order; what the resolver and other customers write comes in between.

    Brokers' clocks differ: that of a journal partition may lag behind the departments'.
    """

    def __init__(self, both: Both, people: Sequence[str], chance: random.Random) -> None:
        self.both, self._chance = both, chance
        self.now = chance.choice([0, START + 30 * D, START + 401 * D])
        self._is = {person: person for person in people}
        self._logs: defaultdict[str, deque[Heard | Merge | Part]] = defaultdict(deque)
        self._appended: defaultdict[int, int] = defaultdict(int)
        self._skew = [chance.choice([0, 0, 0, -1, -H, -3 * D]) for _ in range(PARTITIONS)]
        self._most = chance.choice([1, 2, 500])
        self._version = 0

    def hear(self, heard: Sequence[Heard]) -> None:
        """All of it; the owners of the logs go on now and then, and at last until nothing is left."""
        merges = self._chance.choice([0.0, 0.1, 0.3])
        for one in heard:
            self.now = max(self.now, one.arrives)
            if self._chance.random() < merges:
                self._merge()
            names = [*self._ids(one.person)]
            name = names[-1] if self._chance.random() < 0.8 else self._chance.choice(names)
            self._logs[name].append(one)
            self._go_on(self._chance.choice([0, 1, 1, 3, 10]))
        self._go_on(1_000_000)

    def _ids(self, name: str) -> Iterator[str]:
        """Who that once was, down to who lives."""
        while True:
            yield name
            if self._is[name] == name:
                return
            name = self._is[name]

    def _merge(self) -> None:
        living = sorted(name for name, whom in self._is.items() if name == whom)
        if len(living) > 1:
            older, younger = sorted(self._chance.sample(living, 2))
            self._is[younger] = older
            self._version += 1
            self._logs[younger].append(Merge(older, self._version))

    def _go_on(self, steps: int) -> None:
        for _ in range(steps):
            names = [name for name, log in self._logs.items() if log]
            if not names:
                return
            name = self._chance.choice(names)
            self._take(name, self._logs[name].popleft())

    def _take(self, name: str, record: Heard | Merge | Part) -> None:
        partition = PEOPLE.index(name) % PARTITIONS
        appended = self._appended[partition] = max(self._appended[partition], self.now + self._skew[partition])
        if isinstance(record, Merge):
            self._logs[record.into].extend(self.both.merge(name, *record, appended, self._most))
            return
        if isinstance(record, Heard):
            arrival: dict[str, Any] = {"received": record.received, "replay": record.replay}
            on = self.both.hear(record.entry, appended, name=name, **arrival)
        else:
            on = self.both.take_in(name, record, appended)
        if on is not None:
            self._logs[on].append(record)
