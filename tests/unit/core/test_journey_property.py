"""The project's property: whatever the order of arrival, the bus holds what the batch definition says."""

from __future__ import annotations

import random
from collections.abc import Sequence

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from core.event import DAY, Entry
from core.journey import Arrived, Merge, Moved, Shipped, Written, step
from core.matching import matches
from core.notification import Said
from core.state import Customer, customer_from
from core.timeline import Timeline

from . import plain
from .worlds import RULES, START, histories

CLOCK = START + 30 * DAY


class Memory:
    """A history that remembers what was written."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Arrived]] = {}

    def find(self, customer: str, uid: str) -> Arrived | None:
        return self.held.get(customer, {}).get(uid)

    def all(self, customer: str) -> Sequence[Entry]:
        return sorted(arrived.entry for arrived in self.held.get(customer, {}).values())


class Bus:
    """The step, with a memory, a document that goes through JSON after every record, and what was said."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.documents: dict[str, bytes] = {}
        self.said: list[tuple[str, Said]] = []
        self.late = 0

    def customer(self, name: str) -> Customer:
        document = self.documents.get(name)
        return customer_from(orjson.loads(document), RULES.plan) if document else Customer(name, Timeline(RULES.plan))

    def arrive(self, name: str, record: Arrived | Moved | Merge, clock: int = CLOCK) -> Shipped | None:
        customer = self.customer(name)
        shipped = None
        brought = (record,) if isinstance(record, Arrived) else record.entries if isinstance(record, Moved) else ()
        for output in step(customer, record, RULES, self.memory, clock):
            if isinstance(output, Written):
                self.memory.held.setdefault(name, {})[output.entry.uid] = brought[output.index]
            elif isinstance(output, Said):
                self.said.append((name, output))
            elif isinstance(output, Shipped):
                shipped = output
        self.documents[name] = orjson.dumps(customer.document())
        return shipped

    def believed(self, name: str) -> dict[str, tuple[bool, str]]:
        """What a subscriber who keeps state per alert believes: does it stand, and on which evidence."""
        held: dict[str, tuple[bool, str]] = {}
        for owner, said in self.said:
            if owner != name:
                continue
            assert (said.alert.id in held) or said.state in ("fired", "resolved", "expired", "updated"), said
            assert said.state != "fired" or said.alert.id not in held, "fired twice"
            if said.state == "retracted":
                del held[said.alert.id]
            else:
                held[said.alert.id] = (said.state in ("fired", "updated"), said.alert.digest)
        return held


def arrived(entry: Entry) -> Arrived:
    return Arrived(entry, entry.at, (("email", entry.uid[:2]),))


def facts(bus: Bus, name: str) -> dict[str, tuple[str, str, int, int | None]]:
    return {a.id: (a.rule, a.key, a.time, a.end) for a in bus.customer(name).alerts}


def expected(alerts: dict[str, plain.Held]) -> dict[str, tuple[str, str, int, int | None]]:
    return {i: (m.rule, m.key, m.time, m.end) for i, m in alerts.items()}


@given(histories())
@settings(max_examples=400, deadline=None)
def test_matches_are_what_the_rules_sentences_say(history: list[Entry]) -> None:
    found = [
        plain.Held(m.rule.name, m.key, m.uid, m.time, m.end or plain.FOREVER, tuple(f.entry.uid for f in m.evidence))
        for m in matches(history, RULES)
    ]
    assert sorted(plain.matches(history)) == sorted(found)


@given(histories(), st.randoms(use_true_random=False), st.integers(0, 3), st.booleans())
@settings(max_examples=600, deadline=None)
def test_any_order_of_arrival_and_any_copies_notify_as_the_plain_fold_does(
    history: list[Entry], shuffle: random.Random, disorder: int, live: bool
) -> None:
    arrivals = list(history) + shuffle.sample(history, len(history) // 5)
    if disorder == 1:
        shuffle.shuffle(arrivals)
    elif disorder > 1:  # nearly in order, as in life
        arrivals.sort(key=lambda e: e.at + shuffle.randrange(disorder * DAY))
    bus = Bus()
    clock = 0 if live else CLOCK  # live: the bus hears of things as they happen; else all of it is past already
    for entry in arrivals:
        clock = max(clock, entry.at)
        bus.arrive("c", arrived(entry), clock)
    notified = plain.fold(arrivals)
    assert expected(notified) == facts(bus, "c")
    alerts = bus.customer("c").alerts
    assert {a.id: (a.open, a.digest) for a in alerts} == bus.believed("c")
    assert all(alert.open == (notified[alert.id].end > clock) for alert in alerts)


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_every_match_is_notified_or_near_a_notified_one(history: list[Entry], shuffle: random.Random) -> None:
    arrivals = list(history)
    shuffle.shuffle(arrivals)
    bus = Bus()
    for entry in arrivals:
        bus.arrive("c", arrived(entry))
    alerts = bus.customer("c").alerts
    for match in matches(history, RULES):
        assert any(
            a.rule == match.rule.name
            and a.key == match.key
            and (
                a.id == match.id
                or a.time <= match.time < (a.end or plain.FOREVER)
                or abs(a.time - match.time) < match.rule.cooldown
            )
            for a in alerts
        ), match


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_two_customers_that_turn_out_to_be_one_have_one_timeline_and_its_matches(
    history: list[Entry], shuffle: random.Random
) -> None:
    bus = Bus()
    mine = {entry.uid: shuffle.choice(["a", "b"]) for entry in history}
    arrivals = list(history)
    shuffle.shuffle(arrivals)
    cut = shuffle.randrange(len(arrivals) + 1)
    for entry in arrivals[:cut]:
        bus.arrive(mine[entry.uid], arrived(entry))
    shipped = bus.arrive("b", Merge("a", 7))
    assert shipped is not None
    held = bus.memory.held.pop("b", {})
    size = shuffle.choice([1, 3, 100])
    records = list(held.values())
    parts = [tuple(records[i : i + size]) for i in range(0, len(records), size)] or [()]
    for part in parts:
        bus.arrive("a", Moved("b/7", len(parts), part, shipped.alerts))
    for entry in arrivals[cut:]:
        bus.arrive("a", arrived(entry))
    now = {m.id: m for m in plain.matches(history)}
    alerts = bus.customer("a").alerts
    assert sorted(history) == list(bus.memory.all("a"))
    last = {said.alert.id: said.state for owner, said in bus.said if owner == "b"}
    assert {"fired", "updated"}.isdisjoint(last.values()), "an alert of the merged-away customer still stands"
    for alert in alerts:
        assert (now[alert.id].time, now[alert.id].end) == (alert.time, alert.end)
    for match in now.values():
        assert any(
            a.rule == match.rule
            and a.key == match.key
            and (a.id == match.id or a.time <= match.time < (a.end or 0) or abs(a.time - match.time) < plain.COOLDOWN)
            for a in alerts
        ), match
