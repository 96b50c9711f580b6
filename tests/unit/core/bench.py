"""A customer on the bench: the step, with a memory for its history and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from agents.rule_files import BUILT_IN, load
from agents.vocabulary import outreach, vocabulary
from core.arrival import Arrived, Written
from core.event import DAY, Entry, event_uid
from core.journey import Merge, Moved, Output, Shipped, step
from core.notification import Said
from core.past import Past
from core.rule import RuleSet
from core.state import Customer, customer_from
from core.timeline import Timeline
from schemas.registry import Registry

REGISTRY = Registry.discover()
VOCABULARY = vocabulary(REGISTRY)
RULES: RuleSet = load(BUILT_IN, VOCABULARY, outreach(REGISTRY))
START = 1_772_409_600_000_000  # 2026-03-02T00:00Z
CLOCK = START + 30 * DAY


def entry(at: int, kind: str, data: dict[str, Any], number: int) -> Entry:
    """An entry of source ``w``."""
    return Entry(at, event_uid("w", str(number)), kind, "w", str(number), data)


def arrived(entry: Entry) -> Arrived:
    """It comes with an identifier of its own."""
    return Arrived(entry, entry.at, (("email", entry.uid[:2]),))


class Memory:
    """A history that remembers what was written."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Arrived]] = {}

    def find(self, customer: str, uid: str) -> Arrived | None:
        return self.held.get(customer, {}).get(uid)

    def since(self, customer: str, at: int) -> Sequence[Entry]:
        return self.past(customer).since(at)

    def past(self, customer: str) -> Past:
        return Past(sorted(arrived.entry for arrived in self.held.get(customer, {}).values()))


class Bus:
    """The step, with a memory, a document that goes through JSON after every record, and what was said.

    ``kept``: customers stay in memory, and are not read from their documents.
    """

    def __init__(self, rules: RuleSet = RULES, *, kept: bool = False) -> None:
        self.rules = rules
        self.memory = Memory()
        self.documents: dict[str, bytes] = {}
        self.said: list[tuple[str, Said]] = []
        self._kept: dict[str, Customer] | None = {} if kept else None

    def customer(self, name: str) -> Customer:
        if self._kept is not None:
            return self._kept.setdefault(name, Customer(name, Timeline(self.rules.plan)))
        document = self.documents.get(name)
        if document is None:
            return Customer(name, Timeline(self.rules.plan))
        return customer_from(orjson.loads(document), self.rules.plan)

    def arrive(self, name: str, record: Arrived | Moved | Merge, clock: int = CLOCK) -> Sequence[Output]:
        """What follows, which is remembered."""
        customer = self.customer(name)
        brought = (record,) if isinstance(record, Arrived) else record.entries if isinstance(record, Moved) else ()
        outputs = step(customer, record, self.rules, self.memory, clock)
        for output in outputs:
            if isinstance(output, Written):
                self.memory.held.setdefault(name, {})[output.entry.uid] = brought[output.nth]
            elif isinstance(output, Said):
                self.said.append((name, output))
            elif isinstance(output, Shipped):
                self.memory.held.pop(name, None)
        self.documents[name] = orjson.dumps(customer.document())
        return outputs


def complaint(at: int, number: int = 1) -> Entry:
    return entry(at, "service.case.opened.v1", {"caseId": f"K{number}", "category": "complaint"}, number)


def campaign(at: int, number: int = 100, name: str = "S1") -> Entry:
    return entry(at, "marketing.campaign.sent.v1", {"campaignId": name, "channel": "email"}, number)
