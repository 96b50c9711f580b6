"""A customer on the bench: the step, with a memory for its history and what was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.documents import Document, Documents
from agents.matter_cache import MatterCache
from agents.rule_files import BUILT_IN, load
from agents.vocabulary import vocabulary
from core.alerts.alert import Alert, Life, Name
from core.alerts.message import AlertMessage
from core.customer.archive import LifeChange
from core.customer.arrival import Arrived, Written
from core.customer.customer import Customer
from core.customer.step import Decision, Merge, Moved, MovedOut, step
from core.rules.parsing import parse_rule
from core.rules.ruleset import RuleSet
from core.timeline.derived import Derived
from core.timeline.entry import BEFORE_ALL, DAY, FOREVER, Entry, event_uid
from schemas.registry import Registry

REGISTRY = Registry.discover()
VOCABULARY = vocabulary(REGISTRY)
RULES: RuleSet = load(BUILT_IN, VOCABULARY, REGISTRY.outreach)
START = 1_772_409_600_000_000  # 2026-03-02T00:00Z
CLOCK = START + 30 * DAY

MAIL, VISIT, TALK = "marketing.campaign.sent.v1", "web.page.viewed.v1", "service.conversation.ended.v1"
CASE, DONE, ESCALATED = "service.case.opened.v1", "service.case.resolved.v1", "service.case.escalated.v1"
ALWAYS = {"field": "channel", "is": "email"}
"""What holds of every ``campaign``."""


def entry(at: int, kind: str, data: dict[str, Any], number: int) -> Entry:
    """An entry of source ``w``."""
    return Entry(at, event_uid("w", str(number)), kind, "w", str(number), data)


def arrived(entry: Entry) -> Arrived:
    """It comes with an identifier of its own."""
    return Arrived(entry, entry.at, (("email", entry.uid[:2]),))


class Memory:
    """A history that remembers what was written. ``snapshots``: states are kept, too."""

    def __init__(self, rules: RuleSet, *, snapshots: bool = False) -> None:
        self.held: dict[str, dict[str, Arrived]] = {}
        self.archiving: dict[str, dict[Name, Alert]] = {}
        self._rules = rules
        self._states: dict[str, list[Derived]] | None = {} if snapshots else None
        self._matters = MatterCache() if snapshots else None

    def find(self, customer: str, uid: str) -> Arrived | None:
        return self.held.get(customer, {}).get(uid)

    def entry(self, customer: str, at: int, uid: bytes) -> Entry | None:
        found = self.find(customer, uid.hex())
        return None if found is None else found.entry

    def since(self, customer: str, at: int, before: int = FOREVER) -> Sequence[Entry]:
        held = self.held.get(customer, {}).values()
        return sorted(arrived.entry for arrived in held if at <= arrived.entry.at < before)

    def matter(self, customer: str, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Entry]:
        found = []
        for entry in self.since(customer, 0):
            role = self._rules.vocabulary[entry.type].entity if entry.type in self._rules.vocabulary else None
            if role is not None and role.entity == kind and str(entry.data.get(role.id_field)) == name:
                found.append(entry)
        return [entry for entry in found if since <= entry.at < before]

    def cached_matter(self, customer: str, kind: str, name: str, before: int) -> tuple[int, object] | None:
        return None if self._matters is None else self._matters.before(customer, kind, name, before)

    def cache_matter(self, customer: str, kind: str, name: str, until: int, state: object) -> None:
        if self._matters is not None:
            self._matters.keep(customer, kind, name, until, state)

    def archived(self, customer: str) -> Sequence[Alert]:
        return list(self.archiving.get(customer, {}).values())

    def snapshot(self, customer: str, before: int) -> Derived | None:
        states = [] if self._states is None else self._states.get(customer, [])
        return next((one for one in reversed(states) if one.at < before), None)

    def cache_state(self, customer: str, derived: Derived) -> None:
        if self._states is not None:
            states = self._states.setdefault(customer, [])
            if not states or states[-1].at < derived.at:
                states.append(derived)

    def invalidate(self, customer: str, since: int) -> None:
        if self._states is not None:
            self._states[customer] = [one for one in self._states.get(customer, []) if one.at < since]
        if self._matters is not None:
            self._matters.invalidate(customer, since)


class Bus:
    """The step, with a memory, a document that goes through bytes after every record, and what was said.

    ``kept``: customers and their earlier states stay in memory, and are not read from their documents.
    """

    def __init__(self, rules: RuleSet = RULES, *, kept: bool = False) -> None:
        self.rules = rules
        self.memory = Memory(rules, snapshots=kept)
        self.documents: dict[str, Document] = {}
        self.said: list[tuple[str, AlertMessage]] = []
        self._codec = Documents(rules)
        self._kept: dict[str, Customer] | None = {} if kept else None

    def change_rules(self, rules: RuleSet) -> None:
        """From now on these."""
        self.rules, self._codec = rules, Documents(rules)

    def customer(self, name: str) -> Customer:
        if self._kept is not None:
            return self._kept.setdefault(name, Customer(name, Derived(BEFORE_ALL, self.rules.empty)))
        document = self.documents.get(name)
        return self._codec.new(name) if document is None else self._codec.decode(document)

    def alerts(self, name: str) -> list[Alert]:
        """All that the customer was notified of and that is remembered, by time."""
        return sorted([*self.memory.archived(name), *self.customer(name).alerts], key=Alert.sort_key)

    def arrive(self, name: str, record: Arrived | Moved | Merge, clock: int = CLOCK) -> Sequence[Decision]:
        """What follows, which is remembered."""
        customer = self.customer(name)
        brought = (record,) if isinstance(record, Arrived) else record.entries if isinstance(record, Moved) else ()
        outputs = step(customer, record, self.rules, self.memory, clock)
        for output in outputs:
            if isinstance(output, Written):
                self.memory.held.setdefault(name, {})[output.entry.uid] = brought[output.nth]
            elif isinstance(output, AlertMessage):
                self.said.append((name, output))
            elif isinstance(output, MovedOut):
                self.memory.held.pop(name, None)
            elif isinstance(output, LifeChange) and output.life is Life.ARCHIVED:
                self.memory.archiving.setdefault(name, {})[output.alert.name] = output.alert
            elif isinstance(output, LifeChange):
                assert output.alert == self.memory.archiving[name].pop(output.alert.name)
        self.documents[name] = self._codec.encode(customer, "")
        return outputs


def complaint(at: int, number: int = 1) -> Entry:
    return entry(at, "service.case.opened.v1", {"caseId": f"K{number}", "category": "complaint"}, number)


def campaign(at: int, number: int = 100, name: str = "S1") -> Entry:
    return entry(at, "marketing.campaign.sent.v1", {"campaignId": name, "channel": "email"}, number)


def ruled(*parts: Mapping[str, object]) -> RuleSet:
    """Rules of these parts, called r0, r1, …"""
    whole = {
        **{"about": "a case", "version": 1, "when": MAIL, "cooldown": "0s", "severity": "info", "notify": "sales"},
        **{"reason": "a case", "action": "none"},
    }
    told = ({**whole, "rule": f"r{number}", **part} for number, part in enumerate(parts))
    return RuleSet([parse_rule(one, VOCABULARY, ["sales"]) for one in told], VOCABULARY)


def visit(at: int, number: int) -> Entry:
    return entry(at, VISIT, {"url": "u"}, number)


def talk(at: int, number: int) -> Entry:
    return entry(at, TALK, {"direction": "inbound"}, number)


def call(at: int, number: int) -> Entry:
    return entry(at, "sales.call.completed.v1", {"direction": "outbound", "outcome": "no_answer"}, number)


def case(at: int, number: int, kind: str = CASE, name: str = "K1", category: str = "complaint") -> Entry:
    return entry(at, kind, {"caseId": name, "category": category} if kind == CASE else {"caseId": name}, number)


def tell(bus: Bus, *entries: Entry, clock: int = BEFORE_ALL) -> list[str]:
    """They arrive at their own instants, or all at that of the ``clock``. Returns what was said, by rule's key."""
    before = len(bus.said)
    for one in entries:
        bus.arrive("c", arrived(one), max(clock, one.at))
    return [f"{said.state} {said.alert.key}" for _, said in bus.said[before:]]


def ends(bus: Bus) -> list[tuple[str, int | None]]:
    """Of every alert, by its key, when it ends: µs after ``START``."""
    return [(alert.key, None if alert.end is None else alert.end - START) for alert in bus.alerts("c")]


def states(bus: Bus) -> list[str]:
    return [said.state for _, said in bus.said]
