"""A record of the journal as the core takes it, and what is needed to write its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec
import orjson

from core.customer.arrival import Arrived
from core.customer.step import Brought, Merge, Moved
from core.timeline.entry import Entry, effective_at
from core.timeline.vocabulary import Vocabulary
from engine.kafka.record import KafkaRecord
from schemas.journal import MERGE, ORDER, by_name

from . import moves
from .identifiers import Identifiers
from .record_forms import are_valid_alerts, journaled, may_arrive, may_be_merged, may_be_moved
from .short_cache import Pairs


class EventSource(msgspec.Struct, frozen=True, gc=False):
    """The source of an event: its uid, its bytes as the department sent them, when and where the bus received it (µs,
    ``topic/partition/offset``), its identifiers as JSON; whether it came with a move.
    """

    uid: bytes
    event: bytes
    received: int
    origin: str
    identifiers: bytes
    moved: bool = False


class JournalRecord(msgspec.Struct, frozen=True, gc=False):
    """A decoded journal record. ``sources``: one for each event in it. ``latest``: the latest event time among them
    (µs), by the department's clock.
    """

    customer: str
    brought: Brought
    sources: Sequence[EventSource] = ()
    latest: int = 0


def by_customer(heard: Sequence[JournalRecord]) -> Sequence[int]:
    """Positions of the records, each customer's side by side and in order.

    One customer's decisions do not depend on another's, and what the processor's caches hold of a customer serves all
    of their records.
    """
    if len(heard) == 1:
        return (0,)
    customers = [one.customer for one in heard]
    return sorted(range(len(customers)), key=customers.__getitem__)


class JournalDecoder:
    """Decodes records of the journal."""

    def __init__(self, vocabulary: Vocabulary, identifiers: Identifiers) -> None:
        self._notes = frozenset(kind.name for kind in vocabulary.values() if kind.note)
        self._shown = identifiers.shown

    def decode(self, record: KafkaRecord) -> JournalRecord:
        """Decodes the record. Raises ``ValueError`` and others if it is no journal record."""
        key, value, headers = record.key, record.value, by_name(record.headers)
        known = journaled(key, headers)
        customer = key.decode()
        if known is None:
            return self._ordered(customer, headers[ORDER], value)
        event, happened, received = orjson.loads(value), known.time, known.received
        masked_identifiers, identifiers = self._identified(event)
        at, uid = effective_at(happened, received), known.uid
        entry = Entry(at, uid.hex(), event["type"], event["source"], event["id"], event["data"])
        source = EventSource(uid, value, received, known.origin, identifiers)
        return JournalRecord(customer, Arrived(entry, happened, masked_identifiers, known.replay), (source,), happened)

    def _ordered(self, customer: str, order: bytes, value: bytes) -> JournalRecord:
        if order == MERGE:
            return JournalRecord(customer, _merge(customer, orjson.loads(value)))
        return self._moved(customer, moves.read(value))

    def _moved(self, customer: str, said: moves.Move) -> JournalRecord:
        entries, sources, latest = list[Arrived](), list[EventSource](), 0
        for held in said["entries"]:
            happened, received = held["time"], held["received"]
            uid, origin = held["uid"], held["origin"]
            if not may_be_moved(uid, happened, received, origin):
                raise ValueError("not a valid place of an entry")
            raw = bytes(held["event"])
            event = orjson.loads(raw)
            masked_identifiers, identifiers = self._identified(event)
            entry = Entry(
                effective_at(happened, received), uid, event["type"], event["source"], event["id"], event["data"]
            )
            entries.append(Arrived(entry, happened, masked_identifiers))
            sources.append(EventSource(bytes.fromhex(uid), raw, received, origin, identifiers, moved=True))
            latest = max(latest, happened)
        if not may_arrive(said["move"], said["parts"], said["arriving"]):
            raise ValueError("not a valid part of a move")
        alerts, arriving = tuple(said["alerts"]), said["arriving"]
        if not are_valid_alerts(alerts):
            raise ValueError("not a valid alert")
        moved = Moved(
            said["move"], said["parts"], tuple(entries), alerts, arriving, said["settledUntil"], said["until"]
        )
        return JournalRecord(customer, moved, sources, latest)

    def _identified(self, event: Mapping[str, Any]) -> tuple[Pairs, bytes]:
        """The masked identifiers, and those sent, as JSON; an answer to an alert has none, whatever else it
        contains.
        """
        customer = event["data"].get("customer")
        if customer is None or event["type"] in self._notes:
            return (), b"[]"
        return self._shown[tuple(map(_PAIR, customer["identifiers"]))]


_PAIR = itemgetter("type", "value")


def _merge(customer: str, said: Mapping[str, Any]) -> Merge:
    if not may_be_merged(customer, said["into"], said["version"]):
        raise ValueError("not a valid merge order")
    return Merge(said["into"], said["version"])
