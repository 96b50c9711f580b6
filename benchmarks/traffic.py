"""What four departments publish in six days, one event after the other, for as many customers as are wanted.

The same people as in the chaos tests, without their web and social: what each kind of event holds is said there. Here
they are made while they come, so that a million customers need no list of all that they will do. Everybody has one
identifier; a few events come twice.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import accumulate, count
from typing import NamedTuple

from core.timeline.entry import HOUR, SECOND
from schemas.topics import events_topic
from tests.chaos.business import CALM, LIVELY, SPAN, Make, Person, cloud_event

from .scenario import Scenario

DEPARTMENTS = ("finance", "marketing", "sales", "service")
COPIED = 0.01
"""Of all events, so many are copies of an earlier one: without any, nobody would have to look for them."""

VISIT = 4
"""Most events in a row that come from one department: people deal with one for a while, then with another."""

MADE = 1_000_000
"""More events than a customer has made, or makes in one turn."""

PICKED = 4_096
"""Customers are drawn so many at a time."""


class Published(NamedTuple):
    """One record of a department. ``at``: when it was published (µs); ``event`` is its id, the copies have the same."""

    at: int
    topic: str
    key: bytes
    value: bytes
    event: tuple[str, str]


class Regular(Person):
    """A customer known by one number. ``made``: events that there are of the same customer already."""

    def __init__(self, number: int, chance: random.Random, first: int, made: int = 0) -> None:
        super().__init__(number, chance, first, CALM, heavy=False)
        self._made = made

    def publish(self, department: str, at: int) -> Published:
        """Whatever happens next there."""
        makes, weights = _MAKES[department]
        kind, data = self.chance.choices(makes, cum_weights=weights)[0](self, at)
        data["customer"] = self._customer([customer_no(self.number)])
        if self._made % 9 == 0:
            data["customer"]["name"] = f"Person {self.number}"
        self._made += 1
        event = f"/{department}/system", f"{self.number}-{self._made}"
        return Published(at, events_topic(department), b"%d" % self.number, cloud_event(kind, *event, at, data), event)


def customer_no(number: int) -> tuple[str, str]:
    """The identifier by which a customer is known everywhere."""
    return "customer_no", f"C-{number:07d}"


def traffic(scenario: Scenario, until: int, seed: int = 1) -> Iterator[Published]:
    """About ``scenario.events`` records in the order of publication, the last at ``until`` (µs) or before."""
    chance = random.Random(seed)
    first = until - SPAN
    people: dict[int, Regular] = {}
    wanted = round(scenario.events / (1 + COPIED))
    size = max(1, min(VISIT, wanted // scenario.customers))
    visits = max(1, wanted // size)
    shares = _shares(scenario)
    departments = list(accumulate(_MAKES[name][1][-1] for name in DEPARTMENTS))
    due: list[tuple[int, int, Regular | Published, str]] = []
    ticket = count()
    for visit, number in zip(range(visits), _drawn(chance, shares), strict=False):
        begin = first + SPAN * visit // visits
        while due and due[0][0] <= begin:
            yield from _happen(due, chance, until, ticket)
        person = people.get(number)
        if person is None:
            person = people[number] = Regular(number, chance, first)
        share = shares[number] - (shares[number - 1] if number else 0.0)
        long = min(2 * HOUR, 0.4 * SPAN * shares[-1] / (visits * share))
        (department,) = chance.choices(DEPARTMENTS, cum_weights=departments)
        for _ in range(size):
            heappush(due, (min(until, begin + int(chance.random() * long)), next(ticket), person, department))
    while due:
        yield from _happen(due, chance, until, ticket)


def scattered(customers: int, events: int, first: int, last: int, turn: int) -> Iterator[Published]:
    """``events`` records between two instants (µs), at a steady rate, each of a customer who is drawn anew.

    In one ``turn`` a customer deals with one department, so that nobody's events get out of order, however a backlog
    is read: few customers have no more late events than many. Turns begin with 1; no id comes in two of them.
    """
    chance = random.Random(turn)
    people: dict[int, Regular] = {}
    for index in range(1, events + 1):
        at = first + (last - first) * index // events
        number = chance.randrange(customers)
        person = people.get(number)
        if person is None:
            person = people[number] = Regular(number, chance, at, turn * MADE)
        yield person.publish(DEPARTMENTS[(number + turn) % len(DEPARTMENTS)], at)


def paced(published: Iterable[Published], until: int, events: int, rate: float) -> Iterator[Published]:
    """The same as if ``rate`` of them had been published in a second: ``events`` until ``until`` (µs).

    The bus reads a backlog in the order of publication, to some seconds: the faster it came, the less is in order.
    """
    first = until - round(events * SECOND / rate)
    for index, one in enumerate(published):
        yield one._replace(at=first + round(index * SECOND / rate))


def _happen(
    due: list[tuple[int, int, Regular | Published, str]], chance: random.Random, until: int, ticket: Iterator[int]
) -> Iterator[Published]:
    at, _, what, department = heappop(due)
    if isinstance(what, Published):
        yield what._replace(at=at)
        return
    made = what.publish(department, at)
    yield made
    if chance.random() < COPIED:
        heappush(due, (min(until, at + int(chance.random() * 12 * HOUR)), next(ticket), made, department))


def _shares(scenario: Scenario) -> list[float]:
    """Customers' shares, summed up."""
    return list(accumulate((rank + 1 + scenario.head) ** -scenario.skew for rank in range(scenario.customers)))


def _drawn(chance: random.Random, shares: list[float]) -> Iterator[int]:
    numbers = range(len(shares))
    while True:
        yield from chance.choices(numbers, cum_weights=shares, k=PICKED)


_MAKES: dict[str, tuple[list[Make], list[float]]] = {
    name: ([make for make, _ in LIVELY[name]], list(accumulate(weight for _, weight in LIVELY[name])))
    for name in DEPARTMENTS
}
