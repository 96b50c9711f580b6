"""What the journal's readers must have done: a fold of the journal in this process, with nothing that can fail.

Each journal record once, partition by partition, in order, through ``core.customer.step.step`` with a memory for a
history: not through ``agents.pipeline``, whose journey has the archive and the units of work that are judged by this.
It keeps, in order, all that the journey had to write. Older states it has none: what is late is folded from the
beginning.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import orjson

from agents import messages
from agents.documents import Documents
from agents.identifiers import Identifiers
from core.alerts.alert import Alert
from core.alerts.history import EmptyHistory
from core.alerts.message import AlertMessage
from core.customer.arrival import Arrived, Refused, Written
from core.customer.customer import Customer
from core.customer.step import Brought, Forwarded, Merge, Moved, MovedOut, step
from core.rules.ruleset import RuleSet
from core.timeline.entry import BEFORE_ALL, FOREVER, Entry
from schemas import instant
from schemas.journal import EVENT, MERGE, MOVED, ORDER, header_of
from schemas.topics import alerts_topic

from .log import Record


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as the timeline must hold it. ``received`` in µs; ``origin``: where its department published it."""

    arrived: Arrived
    event: Mapping[str, Any]
    received: int
    origin: str
    late: bool
    moved: bool

    def data(self, customer: str) -> dict[str, Any]:
        """What the timeline says of it."""
        return {
            "customerId": customer,
            "event": self.event,
            "at": self.arrived.entry.at,
            "received": self.received,
            "origin": self.origin,
            "late": self.late,
            "moved": self.moved,
        }


@dataclass
class Move:
    """A customer's past on its way: what left, and what came with the journal's records, part by part."""

    left: Counter[str] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)
    parts: list[int] = field(default_factory=list)


@dataclass
class Reference(EmptyHistory):
    """The fold. ``about``: entries by customer and matter. ``timeline`` (key, entry or tombstone) and ``alerts`` (id,
    value): what was to be written, in order.
    """

    rules: RuleSet
    identifiers: Identifiers
    customers: dict[str, Customer] = field(default_factory=dict)
    entries: dict[str, dict[str, Kept]] = field(default_factory=dict)
    timeline: defaultdict[int, list[tuple[bytes, Kept | None]]] = field(default_factory=lambda: defaultdict(list))
    alerts: defaultdict[tuple[str, int], list[tuple[str, bytes]]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    moves: defaultdict[str, Move] = field(default_factory=lambda: defaultdict(Move))
    arrivals: defaultdict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    copies: int = 0
    late: int = 0
    forwarded: int = 0
    taken: int = 0
    about: defaultdict[str, defaultdict[tuple[str, str], dict[str, Entry]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    _clocks: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.documents = Documents(self.rules)

    def take(self, records: Sequence[Record]) -> None:
        """The next records of the journal; those of one partition in its order."""
        for record in records:
            self._one(record)

    def document(self, name: str) -> tuple[Any, bytes]:
        """The customer's profile, as JSON has it, and the state that goes with it."""
        customer = self.customers[name]
        profile = orjson.loads(self.documents.profile(customer))
        return profile, self.documents.encode(customer, "").state

    # --- core.customer.arrival.Finder ---------------------------------------------------------------------------------

    def find(self, customer: str, uid: str) -> Arrived | None:
        """The entry as it was first journaled."""
        kept = self.entries.get(customer, {}).get(uid)
        return None if kept is None else kept.arrived

    def entry(self, customer: str, at: int, uid: bytes) -> Entry | None:
        """The same, without what is asked of copies."""
        found = self.find(customer, uid.hex())
        return None if found is None else found.entry

    def since(self, customer: str, at: int, before: int = FOREVER) -> Sequence[Entry]:
        """The customer's entries from that instant on and ``before`` another (µs), in the timeline's order."""
        entries = (kept.arrived.entry for kept in self.entries.get(customer, {}).values())
        return sorted(one for one in entries if at <= one.at < before)

    def matter(self, customer: str, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Entry]:
        """Of these the ones about a matter from an instant on and before another (µs)."""
        return sorted(one for one in self.about[customer][kind, name].values() if since <= one.at < before)

    # --- one record -------------------------------------------------------------------------------------------------

    def _one(self, record: Record) -> None:
        assert record.key is not None
        assert record.value is not None
        self.taken += 1
        clock = max(self._clocks.get(record.partition, 0), record.timestamp * 1000)
        self._clocks[record.partition] = clock
        name = record.key.decode()
        customer = self.customers.get(name)
        if customer is None:
            customer = self.customers[name] = self.documents.new(name)
        headers = dict(record.headers)
        held, brought = self._read(orjson.loads(record.value), headers)
        if isinstance(brought, Moved) and customer.merged_into is None:
            move = self.moves[brought.move]
            move.parts.append(brought.parts)
            move.came.update(kept.arrived.entry.uid for kept in held)
        place = f"{record.partition}-{record.offset}"
        decisions = step(customer, brought, self.rules, self, clock)
        self.copies += isinstance(brought, Arrived) and not any(isinstance(d, Written | Forwarded) for d in decisions)
        for decision in decisions:
            if isinstance(decision, Written):
                self._write(record.partition, name, held[decision.nth], decision)
            elif isinstance(decision, AlertMessage):
                brief = self.documents.brief(customer)
                value = messages.alert(decision, name, brief, place, customer.appended)
                message_id = orjson.loads(value)["id"]
                for department in decision.alert.departments:
                    self.alerts[alerts_topic(department), record.partition].append((message_id, value))
            elif isinstance(decision, Refused):
                self.refused[held[decision.nth].origin, decision.reason] += 1
            elif isinstance(decision, MovedOut):
                self._ship(record.partition, name, decision)
            elif isinstance(decision, Forwarded):
                self.forwarded += 1

    def _read(self, said: Any, headers: Mapping[str, bytes]) -> tuple[list[Kept], Brought]:
        if EVENT in headers:
            about = header_of(headers)
            kept = self._kept(said, about.uid.hex(), about.time, about.received, about.origin)
            return [kept], kept.arrived
        if headers[ORDER] == MERGE:
            return [], Merge(said["into"], said["version"])
        assert headers[ORDER] == MOVED, headers
        held = [
            self._kept(e["event"], e["uid"], e["time"], e["received"], e["origin"], moved=True) for e in said["entries"]
        ]
        alerts = msgspec.convert(said["alerts"], tuple[Alert, ...])
        arrived = tuple(kept.arrived for kept in held)
        more = alerts, said["arriving"], said["settledUntil"], said["until"]
        return held, Moved(said["move"], said["parts"], arrived, *more)

    def _kept(self, event: Any, uid: str, happened: int, received: int, origin: str, *, moved: bool = False) -> Kept:
        data = event["data"]
        known = data.get("customer", {}).get("identifiers", ())
        masked = self.identifiers.of(tuple((one["type"], one["value"]) for one in known)).masked_identifiers
        entry = Entry(min(happened, received), uid, event["type"], event["source"], event["id"], data)
        assert happened == instant.parse(event["time"])
        return Kept(Arrived(entry, happened, masked), event, received, origin, late=False, moved=moved)

    def _write(self, partition: int, customer: str, came: Kept, written: Written) -> None:
        kept = replace(came, late=written.late)
        uid = written.entry.uid
        self.entries.setdefault(customer, {})[uid] = kept
        self.timeline[partition].append((f"{customer}/{uid}".encode(), kept))
        self.arrivals[customer].append(written.entry)
        known = self.rules.vocabulary.get(written.entry.type)
        role = None if known is None else known.entity
        if role is not None and (matter := written.entry.data.get(role.id_field)) is not None:
            self.about[customer][role.entity, str(matter)][uid] = written.entry
        self.late += written.late

    def _ship(self, partition: int, customer: str, shipped: MovedOut) -> None:
        leaving = self.entries.pop(customer, {})
        self.about.pop(customer, None)
        self.moves[f"{customer}/{shipped.version}"].left.update(leaving.keys())
        for kept in sorted(leaving.values(), key=lambda kept: (kept.arrived.entry.at, kept.arrived.entry.uid)):
            self.timeline[partition].append((f"{customer}/{kept.arrived.entry.uid}".encode(), None))
