"""Notification: whatever the order of arrival, the step says record by record what the oracle says. Without stores and
messages between, so that many more worlds are tried than on the whole bus.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core import event as core
from core import journey
from core.notification import Said as CoreSaid
from tests.unit.core import bench

from .customer import Customer
from .entry import Arrival, D, Entry
from .notification import Said
from .worlds import EXAMPLES, SAME_WORLDS, histories

Words = tuple[str, str, int, int | None, bool, list[tuple[str, dict[str, Any]]]]


def by_the_core(said: CoreSaid) -> Words:
    """A message in plain values."""
    a = said.alert
    evidence = [(core.event_uid(e["source"], e["id"]), dict(e["values"])) for e in a.evidence]
    return said.state, a.id, a.time, a.end, a.historical, evidence


def by_the_oracle(said: Said) -> Words:
    """The same."""
    m = said.alert.match
    evidence = [(found.entry.uid, dict(found.values)) for found in m.evidence]
    return said.state, m.id, m.time, m.end, said.alert.historical, evidence


def without_what_may_lack(words: list[Words], wanted: list[Said]) -> list[Words]:
    """1.8: a retraction of an alert that had ended may come without its evidence."""
    ended = {said.alert.match.id for said in wanted if said.state == "retracted" and not said.alert.standing}
    return sorted(((*w[:5], []) if w[0] == "retracted" and w[1] in ended else w for w in words), key=lambda w: w[1])


@given(histories(), st.integers(0, 2**32))
@settings(max_examples=4 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_every_record_says_what_the_oracle_says(history: list[Entry], seed: int) -> None:
    chance = random.Random(seed)
    arriving = [*history, *chance.choices(history, k=len(history) // 5)]
    disorder = chance.choice([0, D, 3 * D, 8 * D, 100 * D])
    arriving.sort(key=lambda e: e.at + chance.randint(0, disorder))
    clock = chance.choice([0, bench.CLOCK])  # heard as it happens, or when all of it is past
    bus, customer = bench.Bus(), Customer("c")
    for e in arriving:
        clock = max(clock, e.at + chance.choice([0, D]))
        replay = chance.random() < 0.05
        before = len(bus.said)
        bus.arrive("c", journey.Arrived(core.Entry(*e), e.at, (), replay), clock)
        found = [by_the_core(said) for _, said in bus.said[before:]]
        out = customer.take(Arrival(e, e.at, clock, "", {}), clock, replay=replay)
        wanted = [said for said in out if isinstance(said, Said)]
        expected = [by_the_oracle(said) for said in wanted]
        assert without_what_may_lack(expected, wanted) == without_what_may_lack(found, wanted)
    held = {a.id: (a.time, a.end, a.open) for a in bus.customer("c").alerts}
    assert {a.match.id: (a.match.time, a.match.end, a.standing) for a in customer.notified.alerts} == held
