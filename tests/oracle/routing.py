"""The comparison of what intake, the resolver and the journeys sent on: links, journal and dead letters."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import orjson

from .acceptance import Accepted
from .difference import Difference, counted, first
from .entry import FOREVER
from .identifiers import nodes
from .journal import came, canonical, said
from .matches import alert_id
from .oracle import Oracle, order
from .topics import DEAD, JOURNAL, LINKS, Topics, header, origin

STANDS = 12
"""Where an alert on its way says whether it stands."""


def routed(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """Each department record is in the links log or in the journal, as it came, or buried; links have its nodes."""
    there = set()
    for record in [*topics.of(LINKS), *topics.of(JOURNAL)]:
        if record.topic == JOURNAL and header(record, "kind") in ("merge", "moved"):
            continue
        place = header(record, "origin")
        event = oracle.event(place)
        if event is None and record.topic == LINKS and place in oracle.strangers:
            continue
        if event is None:
            yield Difference(record.topic, f"{origin(record)}: nothing of that kind was published at {place}")
            continue
        there.add(place)
        kind = "event" if event.echoed is None else "note"
        told = header(record, "kind"), header(record, "uid"), header(record, "time")
        if came(record) != event.arrival or told != (kind, event.arrival.entry.uid, str(event.arrival.time)):
            yield Difference(record.topic, f"{origin(record)} is not what was published at {place}")
        if record.topic == LINKS:
            found = [tuple(node) for node in orjson.loads(header(record, "nodes"))]
            if found != nodes(event.identifiers, oracle.key):
                yield Difference(LINKS, f"{origin(record)} has other nodes than its event")
    for place, (_, judged) in oracle.judged.items():
        if isinstance(judged, Accepted) and place not in there and not oracle.is_nobodys(judged):
            yield Difference(JOURNAL, f"{place} never came there")


def journaled(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """The journal holds the resolver's and the forwarded records, and else only events with a customer of theirs."""
    found: Counter[tuple[str, str, str]] = Counter()
    forwarded: Counter[tuple[str, bytes]] = Counter()
    homes: dict[bytes, int] = {}
    for record in topics.of(JOURNAL):
        assert record.key is not None
        if homes.setdefault(record.key, record.partition) != record.partition:
            yield Difference(JOURNAL, f"{origin(record)}: {record.key!r} lives in partition {homes[record.key]}")
        forwarded[record.key.decode(), record.value or b""] += 1
        if header(record, "kind") != "moved":
            found[order(record)] += 1
        if header(record, "kind") in ("event", "note"):
            event = oracle.event(header(record, "origin"))
            if event is not None and oracle.identities.today(record.key.decode()) not in oracle.owners(event):
                yield Difference(JOURNAL, f"{origin(record)} is at {record.key!r}, who never was its customer")
    for wanted, count in oracle.resolved.items():
        if found[wanted] < count or (wanted.kind == "merge" and found[wanted] != count):
            yield Difference(JOURNAL, f"{wanted} is there {found[wanted]} times instead of {count}")
    for name, _, about in [one for one in found if one[1] == "merge" and one not in oracle.resolved]:
        yield Difference(JOURNAL, f"{name} was told to merge into {about}")
    for (name, value), count in oracle.journal.forwarded.items():
        if forwarded[name, value] < count:
            yield Difference(JOURNAL, f"a record was not forwarded to {name}")


def moved(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """A merged customer's past travels whole, once, in the timeline's order."""
    parts: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in topics.of(JOURNAL):
        if header(record, "kind") == "moved":
            assert record.key is not None
            name, to = said(record)["move"], record.key.decode()
            parts[name, to].append(said(record))
            known = oracle.journal.moves.get(name)
            if (known is None or to != known.to) and (to, record.value) not in oracle.journal.forwarded:
                yield Difference(JOURNAL, f"{origin(record)} brings {to} a part of {name}")
    for name, move in oracle.journal.moves.items():
        came = parts[name, move.to]
        if [part["parts"] for part in came] != [len(came)] * max(1, len(came)):
            yield Difference(JOURNAL, f"move {name} has parts {[part['parts'] for part in came]}")
        found = [
            (e["uid"], e["time"], e["received"], e["origin"], e["event"]) for part in came for e in part["entries"]
        ]
        left = [(a.entry.uid, a.time, a.received, a.origin, a.event) for a in move.arrivals]
        if found != left:
            yield Difference(JOURNAL, f"move {name}: {len(left)} entries left, {len(found)} others came")
        alerts = sorted(_shipped(alert) for part in came for alert in part["alerts"])
        left_with = sorted((a.match.id, a.match.end, a.standing) for a in move.alerts)
        until = max((part["until"] for part in came), default=move.until)
        if until != move.until:
            yield Difference(JOURNAL, f"move {name} is until {until} instead of {move.until}")
        if alerts != left_with:
            yield Difference(JOURNAL, f"move {name}: {first(alerts, left_with)}")
    if oracle.journal.waiting:
        yield Difference(JOURNAL, f"{oracle.journal.waiting} records wait for a move that never began")


def _shipped(alert: list[Any]) -> tuple[str, int, bool]:
    """Of an alert on its way: id, end, and whether it stands. Its values come in the order of the core's."""
    rule, key, _, uid, _, end = alert[:6]
    return alert_id(rule, key, b64decode(uid).hex()), FOREVER if end is None else end, alert[STANDS]


def letters(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """What could not be used: of intake at least once each, of the journey as often as the journal says.

    An event whose identifiers are all blocked by now is of nobody, or intake had sent it on before it heard of that.
    """
    intake: set[tuple[str, str, bytes | None]] = set()
    journey: Counter[tuple[str, str, bytes]] = Counter()
    for record in topics.of(DEAD):
        told = {name.rpartition(".")[2]: header(record, name) for name, _ in record.headers if "errors" in name}
        place = f"{told['topic']}/{told['partition']}/{told['offset']}"
        if told["stage"] in ("intake", "resolver"):
            intake.add((place, told["exception"], record.value))
        else:
            journey[place, told["exception"], canonical(said(record))] += 1
    sent_on = {header(record, "origin") for record in topics.of(JOURNAL) if header(record, "kind") in ("event", "note")}
    wanted, possible = set(), set()
    for place, (record, judged) in oracle.judged.items():
        if not isinstance(judged, Accepted):
            wanted.add((place, judged, record.value))
        elif place in oracle.refused or (oracle.is_nobodys(judged) and place not in sent_on):
            wanted.add((place, "no-identifier", record.value))
        elif oracle.is_nobodys(judged):
            possible.add((place, "no-identifier", record.value))
    yield from (Difference(DEAD, f"{place} is not there as {reason}") for place, reason, _ in wanted - intake)
    yield from (
        Difference(DEAD, f"{place} should not be there as {reason}") for place, reason, _ in intake - wanted - possible
    )
    yield from counted(DEAD, journey, oracle.journal.letters)
