"""Some customers in the core and in the oracle, who hear the same journal, record by record.

Without stores and messages between, so that many more worlds are tried than on the whole bus.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, cast

import orjson

from core.alerts.message import AlertMessage
from core.customer import arrival
from core.customer import step as journey
from core.rules.ruleset import RuleSet
from core.timeline import entry as core
from core.timeline.entry import BEFORE_ALL
from tests.unit.core import bench

from .customer import Customer, Move, Outcome, Refused, Written
from .entry import FOREVER, Arrival, Entry, uid_of
from .identifiers import Key
from .notification import Said
from .profile import profile
from .rules import Rules
from .section_four import SECTION_FOUR

Words = tuple[str, str, int, int, bool, list[tuple[str, str, dict[str, Any]]]]


class Part(NamedTuple):
    """Of a move's entries those from ``first`` until ``until``; ``last``: the alerts come with it."""

    move: str
    parts: int
    first: int
    until: int
    last: bool


class Both:
    """The core two times, once with every customer read anew from the document before every record, and the oracle.

    ``rules`` as the core has them, and what they mean.
    """

    def __init__(self, rules: RuleSet = bench.RULES, meaning: Rules = SECTION_FOUR) -> None:
        self.bus, self._kept = bench.Bus(rules), bench.Bus(rules, kept=True)
        self._meaning = meaning
        self.records = 0
        self.customers: dict[str, Customer] = {}
        self.states: list[str] = []
        self._shipped: dict[str, tuple[Move, journey.MovedOut]] = {}

    def hear(
        self, e: Entry, appended: int, *, name: str = "c", received: int | None = None, replay: bool = False
    ) -> str | None:
        """An event that happened at ``e.at``, by its department's clock; the broker had it at ``received`` (µs).

        Returns whom it is forwarded to. ``appended``: the journal's, as of this record (µs).
        """
        time, received = e.at, appended if received is None else received
        e = e._replace(at=min(time, received))
        customer = self._customer(name)
        outputs = self._decide(name, arrival.Arrived(core.Entry(*e), time, (), replay), appended)
        if customer.into is None:
            came = Arrival(e, time, received, "", {})
            self._compare(name, outputs, customer.take(came, appended, replay=replay))
        else:
            assert [journey.Forwarded(customer.into)] == outputs
        return customer.into

    def merge(self, name: str, into: str, version: int, appended: int, most: int) -> list[Part]:
        """The parts, of at most so many entries, in which a customer's past leaves for another."""
        customer = self._customer(name)
        outputs = self._decide(name, journey.Merge(into, version), appended)
        assert customer.into is None
        outcome, move = customer.leave(into, version, appended)
        (shipped,) = [one for one in outputs if isinstance(one, journey.MovedOut)]
        alerts = sorted((alert.match.id, alert.match.end, alert.standing) for alert in move.alerts)
        assert alerts == sorted((alert.id, _end(alert.end), alert.standing) for alert in shipped.alerts)
        assert (move.arriving, move.decided, move.until) == (shipped.arriving, shipped.decided_until, shipped.until)
        said = [one for one in outcome if isinstance(one, Said)]
        self._compare(name, outputs, said)
        self._shipped[move.name] = move, shipped
        size = len(move.arrivals)
        cuts = [*range(0, size, most), size] if size else [0, 0]
        parts = len(cuts) - 1
        return [Part(move.name, parts, a, b, b == size) for a, b in pairwise(cuts)]

    def take_in(self, name: str, part: Part, appended: int) -> str | None:
        """A part of a move. Returns whom it is forwarded to."""
        move, shipped = self._shipped[part.move]
        came = move.arrivals[part.first : part.until]
        customer = self._customer(name)
        brought = tuple(arrival.Arrived(core.Entry(*one.entry), one.time) for one in came)
        moved = journey.Moved(
            part.move,
            part.parts,
            brought,
            shipped.alerts if part.last else (),
            shipped.arriving if part.last else {},
            shipped.decided_until if part.last else BEFORE_ALL,
            shipped.until if part.last else BEFORE_ALL,
        )
        outputs = self._decide(name, moved, appended)
        if customer.into is None:
            self._compare(name, outputs, customer.take_part(move, part.parts, came, appended, last=part.last))
        else:
            assert [journey.Forwarded(customer.into)] == outputs
        return customer.into

    def compare_what_is_known(self) -> None:
        """The public profiles, and the memories of notification; the documents of both cores to a byte."""
        for name, customer in self.customers.items():
            document = orjson.loads(self.bus.documents[name].profile)["data"]
            if "standing" in document:
                document["standing"] = sorted(document["standing"])
            assert profile(customer, None, Key(b"")) == document
            if customer.into is None:
                known = self.bus.customer(name)
                assert customer.notified.decided == known.decided_until
                held = {a.id: (a.time, _end(a.end), a.standing) for a in self.bus.alerts(name)}
                wanted = {a.match.id: (a.match.time, a.match.end, a.standing) for a in customer.notified.alerts}
                assert wanted == held

    def _customer(self, name: str) -> Customer:
        return self.customers.setdefault(name, Customer(name, self._meaning))

    def _decide(
        self, name: str, record: arrival.Arrived | journey.Moved | journey.Merge, appended: int
    ) -> Sequence[journey.Decision]:
        """What the core decides, whoever decides it."""
        self.records += 1
        outputs = self.bus.arrive(name, record, appended)
        assert outputs == self._kept.arrive(name, record, appended)
        assert self.bus.documents[name] == self._kept.documents[name]
        return outputs

    def _compare(self, name: str, outputs: Sequence[journey.Decision], outcome: Sequence[Outcome]) -> None:
        """They must write, refuse and say the same."""
        written = [
            (one.uid, one.arrival.entry.at, one.late) for one in outcome if isinstance(one, Written) and one.arrival
        ]
        assert written == [(o.entry.uid, o.entry.at, o.late) for o in outputs if isinstance(o, arrival.Written)]
        refused = sum(isinstance(one, Refused) for one in outcome)
        assert refused == sum(isinstance(one, arrival.Refused) for one in outputs)
        wanted = [one for one in outcome if isinstance(one, Said)]
        found = [_by_the_core(one) for one in outputs if isinstance(one, AlertMessage)]
        bare = {one.alert.match.id for one in wanted if one.state == "retracted" and not one.alert.standing}
        assert _without(bare, map(_by_the_oracle, wanted), found) == sorted(found, key=lambda words: words[1])
        self.states += [said.state for said in wanted]


def _by_the_core(said: AlertMessage) -> Words:
    """A message in plain values."""
    a, told = said.alert, cast(Sequence[dict[str, Any]], said.evidence)
    evidence = [(uid_of(e["source"], e["id"]), e["time"], e["values"]) for e in told]
    return said.state, a.id, a.time, _end(a.end), a.historical, evidence


def _end(end: int | None) -> int:
    """The core's ends, as the oracle has them."""
    return FOREVER if end is None else end


def _by_the_oracle(said: Said) -> Words:
    """The same."""
    m = said.alert.match
    evidence = [(f.entry.uid, core.rfc3339(f.entry.at), dict(f.values)) for f in m.evidence]
    return said.state, m.id, m.time, m.end, said.alert.historical, evidence


def _without(bare: set[str], wanted: Any, found: Sequence[Words]) -> list[Words]:
    """1.8: what may come without its evidence, as it came."""
    naked = {(words[0], words[1]) for words in found if not words[5]}
    return sorted(
        ((*w[:5], []) if w[1] in bare and (w[0], w[1]) in naked else w for w in wanted), key=lambda words: words[1]
    )
