"""Customers with a past: the timelines and profiles that the journey would have written of very many of them.

A few customers are really taken through the journey, in this process; what it writes of each is given to many others,
with their ids and numbers in place of his. Their events keep his ids, so that an event uid stands on many timelines:
the bus looks for copies on one customer's timeline only.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from agents.identifiers import Identifiers
from agents.pipeline import Input, Pipeline, PipelineConfig
from core.timeline.entry import DAY, uid_bytes
from engine.transactional.transaction import Output
from schemas.journal import event_headers
from schemas.topics import JOURNAL, PROFILES, TIMELINE, partition_of

from .seed import customer_id
from .traffic import DEPARTMENTS, Published, Regular, customer_no

MODELS = 32
"""Customers who are really taken through the journey."""

UNIT = 500
"""Records of one unit of work."""


@dataclass(frozen=True, slots=True)
class Past:
    """All that stands on the topics about one customer: entries, oldest first, and the profile after the last."""

    number: int
    customer: str
    entries: tuple[Output, ...]
    profile: Output

    def of(self, number: int, customer: str, identifiers: Identifiers, partitions: int) -> Iterator[Output]:
        """The same of the customer with another number and id, on that one's partition."""
        partition = partition_of(customer, partitions)
        names = [
            (self.customer.encode(), customer.encode()),
            *zip(_shown(self.number, identifiers), _shown(number, identifiers), strict=True),
        ]
        for output in (*self.entries, self.profile):
            key, value = output.key, output.value
            assert key is not None
            assert value is not None
            for one, other in names:
                key, value = key.replace(one, other), value.replace(one, other)
            yield Output(output.topic, partition, key, value, output.headers)


def events_of(number: int, count: int, until: int, days: float, seed: int = 1) -> list[Published]:
    """``count`` events of one customer in the ``days`` before ``until`` (µs), one department after the other."""
    chance = random.Random(f"{seed}/{number}")
    first = until - int(days * DAY)
    person = Regular(number, chance, first)
    moments = sorted(first + int(chance.random() * days * DAY) for _ in range(count))
    return [person.publish(DEPARTMENTS[index // 4 % len(DEPARTMENTS)], at) for index, at in enumerate(moments)]


def past(number: int, customer: str, events: Sequence[Published], identifiers: Identifiers) -> Past:
    """What the journey writes when these events arrive as they happen. There must be one at least."""
    entries: list[Output] = []
    profile: Output | None = None
    journal = Input("journey", JOURNAL, 0)
    with Pipeline(replace(_built_in(), identifiers=identifiers)) as bus:
        for offset, event in enumerate(events):
            headers = event_headers(f"{event.topic}/0/{offset}", event.at, event.at, uid_bytes(*event.event))
            bus.write([Output(JOURNAL, 0, customer.encode(), event.value, headers)], event.at // 1000)
        while outputs := bus.take(journal, UNIT):
            entries += [output for output in outputs if output.topic == TIMELINE]
            profile = next(output for output in outputs if output.topic == PROFILES)
    if profile is None:
        raise ValueError("a customer without events has no past")
    return Past(number, customer, tuple(entries), profile)


def models(identifiers: Identifiers, entries: int, until: int, days: float = 30, count: int = MODELS) -> list[Past]:
    """The pasts of ``count`` customers with ``entries`` entries each, the last before ``until`` (µs)."""
    return [
        past(number, customer, events_of(number, entries, until, days), identifiers)
        for number in range(count)
        for customer in [customer_id(identifiers, [customer_no(number)], number)]
    ]


def histories(
    of: Sequence[Past], numbers: Iterable[int], identifiers: Identifiers, partitions: int
) -> Iterator[Output]:
    """Timeline and profile records of the customers with these numbers, each like one of those given.

    A customer's id is that of ``seed.identities`` when that is given all customers in the order of their numbers, from
    0 on.
    """
    for number in numbers:
        customer = customer_id(identifiers, [customer_no(number)], number)
        yield from of[number % len(of)].of(number, customer, identifiers, partitions)


def _shown(number: int, identifiers: Identifiers) -> tuple[bytes, ...]:
    """How a customer's number stands in events, masked in profiles, and in the name."""
    known = customer_no(number)
    ((_, masked),) = identifiers.of([known]).masked_identifiers
    return known[1].encode(), f'"{masked}"'.encode(), f'"Person {number}"'.encode()


_built_in = cache(PipelineConfig.of)
