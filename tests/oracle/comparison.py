"""The comparison: where the topics differ from what must be. A faultless log has no differences."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from .acceptance import Accepted
from .identifiers import nodes
from .journal import Told, came, canonical, said
from .oracle import Oracle, order
from .topics import DEAD, IDENTITIES, JOURNAL, LINKS, PROFILES, TIMELINE, Topics, header, origin

MANY_ALERTS = 50
"""A customer with more alerts than this may be told of one without its evidence (ADR 7)."""


class Difference(NamedTuple):
    """``where``: a topic. ``what``: in words."""

    where: str
    what: str


def differences(topics: Topics, oracle: Oracle) -> list[Difference]:
    """Everything that the bus wrote, against everything that it must have written."""
    return [
        *_routed(topics, oracle),
        *_journaled(topics, oracle),
        *_moved(topics, oracle),
        *_identities(topics, oracle),
        *_timeline(topics, oracle),
        *_alerts(topics, oracle),
        *_profiles(topics, oracle),
        *_letters(topics, oracle),
    ]


def _routed(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """Each department record is in the links log or in the journal, as it came, or buried; links have its nodes."""
    there = set()
    for record in [*topics.of(LINKS), *topics.of(JOURNAL)]:
        if record.topic == JOURNAL and header(record, "kind") in ("merge", "moved"):
            continue
        place = header(record, "origin")
        event = oracle.event(place)
        if event is None:
            yield Difference(record.topic, f"{origin(record)}: nothing of that kind was published at {place}")
            continue
        there.add(place)
        if came(record) != event.arrival or header(record, "uid") != event.arrival.entry.uid:
            yield Difference(record.topic, f"{origin(record)} is not what was published at {place}")
        if record.topic == LINKS:
            found = [tuple(node) for node in orjson.loads(header(record, "nodes"))]
            if found != nodes(event.identifiers, oracle.key):
                yield Difference(LINKS, f"{origin(record)} has other nodes than its event")
    for place, (_, judged) in oracle.judged.items():
        if isinstance(judged, Accepted) and place not in there:
            yield Difference(JOURNAL, f"{place} never came there")


def _journaled(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """The journal holds the resolver's and the forwarded records, and else only events with a customer of theirs."""
    found: Counter[tuple[str, str, str]] = Counter()
    forwarded: Counter[tuple[str, bytes]] = Counter()
    for record in topics.of(JOURNAL):
        assert record.key is not None
        forwarded[record.key.decode(), record.value or b""] += 1
        if header(record, "kind") != "moved":
            found[order(record)] += 1
        if header(record, "kind") in ("event", "note"):
            event = oracle.event(header(record, "origin"))
            if event is not None and oracle.owner(event) != oracle.identities.today(record.key.decode()):
                yield Difference(JOURNAL, f"{origin(record)} is at {record.key!r}, who never was its customer")
    for wanted, count in oracle.resolved.items():
        if found[wanted] < count or (wanted.kind == "merge" and found[wanted] != count):
            yield Difference(JOURNAL, f"{wanted} is there {found[wanted]} times instead of {count}")
    for name, _, about in [one for one in found if one[1] == "merge" and one not in oracle.resolved]:
        yield Difference(JOURNAL, f"{name} was told to merge into {about}")
    for (name, value), count in oracle.journal.forwarded.items():
        if forwarded[name, value] < count:
            yield Difference(JOURNAL, f"a record was not forwarded to {name}")


def _moved(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """A merged customer's past travels whole, once, in the timeline's order."""
    parts: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in topics.of(JOURNAL):
        if header(record, "kind") == "moved":
            assert record.key is not None
            parts[said(record)["move"], record.key.decode()].append(said(record))
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
        told = sorted((a["id"], a["end"], a["open"]) for part in came for a in part["alerts"])
        known = sorted((a.match.id, a.match.end, a.standing) for a in move.alerts)
        if told != known:
            yield Difference(JOURNAL, f"move {name}: {difference(told, known)}")
    if oracle.journal.waiting:
        yield Difference(JOURNAL, f"{oracle.journal.waiting} records wait for a move that never began")


def _identities(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """Who is who, and no word more; the key's fingerprint beside it."""
    found = Counter((r.key or b"", canonical(said(r))) for r in topics.of(IDENTITIES) if r.key != b"#key")
    wanted = Counter((key.encode(), canonical(value)) for key, value in oracle.identities.learned)
    yield from _counted(IDENTITIES, found, wanted)


def _timeline(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """Every entry and every tombstone, in order."""
    logs = topics.log(TIMELINE)
    for partition in sorted(logs.keys() | oracle.journal.timeline.keys()):
        found = [(r.key or b"", None if r.value is None else said(r)["data"]) for r in logs.get(partition, [])]
        wanted = [(entered.key.encode(), entered.data) for entered in oracle.journal.timeline[partition]]
        keys, due = Counter(key for key, _ in found), Counter(key for key, _ in wanted)
        if keys != due:
            yield from _counted(TIMELINE, keys, due)
        elif found != wanted:
            yield Difference(TIMELINE, difference(found, wanted))


def _alerts(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """Every message to every department; those of one journal record in any order."""
    logs = topics.alerts()
    for place in sorted(logs.keys() | oracle.journal.alerts.keys()):
        where = f"alerts of {place[0]}, partition {place[1]}"
        found = [(said(record)["id"], said(record)) for record in logs.get(place, [])]
        wanted = {told.id: told for told in oracle.journal.alerts[place]}
        told, due = Counter(name for name, _ in found), Counter(t.id for t in oracle.journal.alerts[place])
        yield from _counted(where, told, due)
        for name, value in found:
            if name in wanted and not _as_told(value["data"], wanted[name], oracle):
                yield Difference(where, f"{name}: {difference(value['data'], wanted[name].data)}")
        order = [wanted[name].place for name, _ in found if name in wanted]
        if order != sorted(order):
            yield Difference(where, "messages are not in the journal's order")


def _as_told(found: Mapping[str, Any], wanted: Told, oracle: Oracle) -> bool:
    many = len(oracle.journal.customers[wanted.data["customerId"]].notified.alerts) > MANY_ALERTS
    if (wanted.bare or many) and found["evidence"] == []:
        return found == {**wanted.data, "evidence": []}
    return found == wanted.data


def _profiles(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """The latest word on everybody, without the bus's own memory."""
    found = {r.key.decode(): said(r)["data"] for r in topics.of(PROFILES) if r.key is not None}
    wanted = oracle.profiles()
    yield from _counted(PROFILES, Counter(list(found)), Counter(list(wanted)))
    for name in sorted(found.keys() & wanted.keys()):
        public = {field: value for field, value in found[name].items() if field != "state"}
        if "standing" in public:
            public["standing"] = sorted(public["standing"])
        if public != wanted[name]:
            yield Difference(PROFILES, f"{name}: {difference(public, wanted[name])}")


def _letters(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """What could not be used: of intake at least once each, of the journey as often as the journal says."""
    intake: set[tuple[str, str, bytes | None]] = set()
    journey: Counter[tuple[str, str, bytes]] = Counter()
    for record in topics.of(DEAD):
        told = {name.rpartition(".")[2]: header(record, name) for name, _ in record.headers if "errors" in name}
        place = f"{told['topic']}/{told['partition']}/{told['offset']}"
        if told["stage"] == "intake":
            intake.add((place, told["exception"], record.value))
        else:
            journey[place, told["exception"], canonical(said(record))] += 1
    wanted = {(p, judged, r.value) for p, (r, judged) in oracle.judged.items() if not isinstance(judged, Accepted)}
    yield from (Difference(DEAD, f"{place} is not there as {reason}") for place, reason, _ in wanted - intake)
    yield from (Difference(DEAD, f"{place} should not be there as {reason}") for place, reason, _ in intake - wanted)
    yield from _counted(DEAD, journey, oracle.journal.letters)


def _counted(where: str, found: Counter[Any], wanted: Counter[Any]) -> Iterator[Difference]:
    yield from (Difference(where, f"{one} is missing") for one in (wanted - found).elements())
    yield from (Difference(where, f"{one} should not be there") for one in (found - wanted).elements())


def difference(found: Any, wanted: Any, path: str = "") -> str:
    """The first place where two values differ."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for name in sorted(found.keys() | wanted.keys()):
            if found.get(name) != wanted.get(name):
                return difference(found.get(name), wanted.get(name), f"{path}.{name}")
    if isinstance(found, list | tuple) and isinstance(wanted, list | tuple):
        for index, (one, other) in enumerate(itertools.zip_longest(found, wanted)):
            if one != other:
                return difference(one, other, f"{path}[{index}]")
    return f"{path or 'all of it'} is {found!r} instead of {wanted!r}"
