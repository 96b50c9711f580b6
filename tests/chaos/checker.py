"""Judges a log: is everything accounted for, and is it what the journal says it must be?

``positions`` and ``plain_alerts`` know nothing of the core's decisions; ``folded`` holds everything that the journey
wrote against the reference. Each yields what is wrong; a perfect log yields nothing.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import orjson
from msgspec.structs import astuple

from agents import stored_alert
from agents.documents import STATE, Document
from core.alerts.alert import Alert
from core.timeline.entry import event_uid
from schemas import instant
from schemas.dead_letter import error_headers, origins
from schemas.topics import DEAD, IDENTITIES, JOURNAL, LINKS, NOTIFIED, PROFILES, PROGRESS, TIMELINE
from tests.oracle.entry import Entry
from tests.oracle.notification import fold

from .log import Log, Record
from .reference import Reference

Kind = Literal[
    "lost",
    "doubled",
    "extra",
    "wrongly buried",
    "wrongly taken",
    "timeline",
    "alert lost",
    "alert doubled",
    "alert order",
    "profile",
    "move",
    "standing alert",
    "identity",
    "foreign",
]
FOREIGN = "foreign-record"
OWNED = frozenset({JOURNAL, LINKS, IDENTITIES, TIMELINE, PROFILES, NOTIFIED, PROGRESS})
"""Topics whose partitions have an owner, who tells of foreign records."""
Content = tuple[str, int, Any]


class Problem(NamedTuple):
    """Something that must not be."""

    kind: Kind
    what: str


class Letter(NamedTuple):
    """A dead letter: where it came from, which stage buried it, and why.

    ``origins``: of all records that it is about. ``cut``: it holds their beginning only.
    """

    origins: Sequence[str]
    stage: str
    reason: str
    record: Record
    cut: bool = False

    @property
    def origin(self) -> str:
        """Of the first of them."""
        return self.origins[0]


def letters(log: Log) -> list[Letter]:
    """The dead letters, copies included."""
    found = []
    for record in log.of(DEAD):
        said = error_headers(record.headers)
        if "stage" not in said:  # somebody else wrote it
            continue
        stage, reason = said["stage"].decode(), said["exception"].decode()
        found.append(Letter(origins(said), stage, reason, record, "cut" in said))
    return found


def current(log: Log) -> dict[bytes, Record]:
    """The timeline as a compacted topic means it: the latest of each key, without what was taken away."""
    latest = {record.key: record for record in log.of(TIMELINE) if record.key is not None}
    return {key: record for key, record in latest.items() if record.value is not None}


def content_of(record: Record) -> tuple[str, Content]:
    """An accepted department record's uid, and its content: type, time and data."""
    assert record.value is not None
    attributes: dict[str, Any] = {name[3:]: value.decode() for name, value in record.headers if name.startswith("ce_")}
    event = {**attributes, "data": orjson.loads(record.value)} if attributes else orjson.loads(record.value)
    return event_uid(event["source"], event["id"]), _content(event)


def _content(event: Mapping[str, Any]) -> Content:
    return event["type"], instant.parse(event["time"]), event["data"]


# --- I1: every accepted position is accounted for -------------------------------------------------------------------


def positions(log: Log, events: Iterable[Record], must_be_buried: Mapping[bytes, str]) -> Iterator[Problem]:
    """Each department record is on one timeline, a copy of what is there, or buried for the right reason; no more."""
    stands: defaultdict[str, list[tuple[str, Content]]] = defaultdict(list)
    for key, record in current(log).items():
        assert record.value is not None
        held = orjson.loads(record.value)["data"]
        stands[key.rpartition(b"/")[2].decode()].append((held["origin"], _content(held["event"])))
    yield from (Problem("doubled", f"{uid} is on {len(on)} timelines") for uid, on in stands.items() if len(on) > 1)
    buried: defaultdict[str, list[Letter]] = defaultdict(list)
    for letter in letters(log):
        for origin in letter.origins if letter.reason != FOREIGN else ():
            buried[origin].append(letter)
    about_events: set[str] = set()
    refused = [_refused(letter) for found in buried.values() for letter in found if letter.stage == "journey"]
    claimed = {(origin, uid) for uid, on in stands.items() for origin, _ in on}
    for record in events:
        found = buried.pop(record.origin, [])
        about_events.update(letter.origin for letter in found)
        reason = must_be_buried.get(record.value or b"")
        if reason is None:
            uid, content = content_of(record)
            claimed.discard((record.origin, uid))
            if uid not in stands:
                kind: Kind = "wrongly buried" if found else "lost"
                yield Problem(kind, f"{record.origin}: {uid} is on no timeline")
                continue
            if all(content != held for _, held in stands[uid]):
                if any(origin == record.origin for origin, _ in stands[uid]):
                    yield Problem("timeline", f"{record.origin}: {uid} stands there with other content")
                elif not found and (uid, content) in refused:
                    continue  # a copy of what was refused
                else:
                    reason = "id-reused"
        yield from _judge_letters(record, found, reason)
    nowhere = {letter.origin for found in buried.values() for letter in found} - about_events
    yield from (Problem("extra", f"a dead letter of {origin}, where nothing was published") for origin in nowhere)
    yield from (Problem("extra", f"{uid} of {origin} is on a timeline; nobody published it") for origin, uid in claimed)


def _refused(letter: Letter) -> tuple[str, Content]:
    """Uid and content of an event that the journey refused."""
    assert letter.record.value is not None
    event = orjson.loads(letter.record.value)
    return event_uid(event["source"], event["id"]), _content(event)


def _judge_letters(record: Record, found: Sequence[Letter], reason: str | None) -> Iterator[Problem]:
    if reason is None:
        if found:
            yield Problem("wrongly buried", f"{record.origin}: {found[0].reason}")
    elif not found:
        kind: Kind = "lost" if reason == "id-reused" else "wrongly taken"
        yield Problem(kind, f"{record.origin} is in no dead letter; expected {reason}")
    for letter in found:
        if reason is not None and letter.reason != reason:
            yield Problem("wrongly buried", f"{record.origin}: {letter.reason} instead of {reason}")
        if letter.stage == "intake" and not _keeps(letter, record):
            yield Problem("wrongly buried", f"{record.origin}: its dead letter has another key or value")


def _keeps(letter: Letter, record: Record) -> bool:
    """Whether the letter has the record's key and value, or their beginning. One about many has none of theirs."""
    if len(letter.origins) > 1:
        return True
    kept, came = (letter.record.key, letter.record.value), (record.key, record.value)
    if not letter.cut:
        return kept == came
    return all(
        other is None if one is None else (other or b"").startswith(one) for one, other in zip(kept, came, strict=True)
    )


def foreign(log: Log) -> Iterator[Problem]:
    """Each record of others on the bus's own topics is in one dead letter; copies of that count once."""
    told = {letter.origin for letter in letters(log) if letter.reason == FOREIGN}
    there = {record.origin for record in log.foreign if record.topic in OWNED}
    yield from (Problem("foreign", f"no letter tells of {origin}") for origin in sorted(there - told))
    yield from (
        Problem("foreign", f"a letter tells of {origin}, which is the bus's") for origin in sorted(told - there)
    )


# --- I3: what was written is the fold of the journal ----------------------------------------------------------------


def folded(log: Log, reference: Reference, alert_topics: Iterable[str], partitions: int) -> Iterator[Problem]:
    """Everything that the journey wrote, against the fold; ``reference`` has taken the whole journal."""
    for partition in range(partitions):
        yield from _timeline(log.records.get((TIMELINE, partition), []), reference.timeline[partition])
        for topic in alert_topics:
            told = [_message(record) for record in log.records.get((topic, partition), [])]
            yield from _alerts(f"{topic}/{partition}", told, reference.alerts[topic, partition])
    yield from _profiles(log, reference)
    yield from _refusals(log, reference)
    for name, move in reference.moves.items():
        wanted = [len(move.parts)] * len(move.parts)
        if move.left != move.came or move.parts != wanted:
            yield Problem("move", f"{name}: {move.left.total()} entries left, {move.came.total()} came, {move.parts}")


def _timeline(found: Sequence[Record], expected: Sequence[tuple[bytes, Any]]) -> Iterator[Problem]:
    written = Counter((record.key or b"", record.value is None) for record in found)
    wanted = Counter((key, kept is None) for key, kept in expected)
    yield from (Problem("timeline", f"{key!r} was not written") for key, _ in (wanted - written).elements())
    yield from (Problem("timeline", f"{key!r} was written once too often") for key, _ in (written - wanted).elements())
    if written != wanted:
        return
    for record, (key, kept) in zip(found, expected, strict=True):
        if record.key != key or (record.value is None) != (kept is None):
            yield Problem("timeline", f"{record.origin}: {record.key!r} where {key!r} was due")
        elif record.value is not None:
            yield from _entry(record, kept.data(key.partition(b"/")[0].decode()))


def _entry(record: Record, wanted: Mapping[str, Any]) -> Iterator[Problem]:
    assert record.value is not None
    data = orjson.loads(record.value)["data"]
    for name, value in wanted.items():
        if data.get(name) != value:
            yield Problem("timeline", f"{record.origin}: {name} is {data.get(name)!r} instead of {value!r}")


def _message(record: Record) -> tuple[str, bytes]:
    assert record.value is not None
    return orjson.loads(record.value)["id"], record.value


def _alerts(where: str, found: Sequence[tuple[str, bytes]], expected: Sequence[tuple[str, bytes]]) -> Iterator[Problem]:
    told, wanted = Counter(name for name, _ in found), Counter(name for name, _ in expected)
    yield from (Problem("alert lost", f"{where}: {name}") for name in (wanted - told).elements())
    yield from (Problem("alert doubled", f"{where}: {name}") for name in (told - wanted).elements())
    if told == wanted:
        for one, other in zip(found, expected, strict=True):
            if one != other:
                yield Problem("alert order", f"{where}: {one[1]!r} where {other[1]!r} was due")


def _profiles(log: Log, reference: Reference) -> Iterator[Problem]:
    found = {key.decode(): _profile(record) for key, record in log.profiles.items()}
    yield from (Problem("profile", f"{name} has none") for name in reference.customers.keys() - found.keys())
    yield from (Problem("profile", f"{name} is not in the journal") for name in found.keys() - reference.customers)
    for name in sorted(reference.customers.keys() & found.keys()):
        profile, state = found[name]
        wanted, wanted_state = reference.document(name)
        if profile != wanted:
            yield Problem("profile", f"{name}: {difference(profile, wanted)}")
        if state != wanted_state:
            yield Problem("profile", f"{name}: {_difference(state, wanted_state)}")


def _profile(record: Record) -> tuple[Any, bytes]:
    """The profile, and the state in its header."""
    profile = None if record.value is None else orjson.loads(record.value)["data"]
    return profile, dict(record.headers).get(STATE, b"")


def _difference(found: bytes, expected: bytes) -> str:
    """The first place where two states differ."""
    try:
        one, other = msgspec.msgpack.decode(found), msgspec.msgpack.decode(expected)
    except msgspec.DecodeError:
        return f"the state is {found!r}"
    return difference(one, other, "state") if one != other else "the state's bytes are in another order"


def difference(found: Any, expected: Any, path: str = "") -> str:
    """The first place where two JSON documents differ."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != expected.get(name):
                return difference(found.get(name), expected.get(name), f"{path}.{name}")
    if isinstance(found, list) and isinstance(expected, list):
        for index, (one, other) in enumerate(itertools.zip_longest(found, expected)):
            if one != other:
                return difference(one, other, f"{path}[{index}]")
    return f"{path or 'all of it'} is {found!r} instead of {expected!r}"


def _refusals(log: Log, reference: Reference) -> Iterator[Problem]:
    found = Counter(
        (letter.origin, letter.reason)
        for letter in letters(log)
        if letter.stage == "journey" and letter.reason != FOREIGN
    )
    for (origin, reason), count in (found - reference.refused).items():
        yield Problem("extra", f"the journey buried {origin} {count} times too often ({reason})")
    for (origin, reason), count in (reference.refused - found).items():
        yield Problem("lost", f"the journey did not bury {origin} {count} times ({reason})")


# --- I2, for a sample: what is notified is what the plain definition says -------------------------------------------


def _closed(log: Log) -> Mapping[str, Sequence[Alert]]:
    """Alerts that are put away, by customer."""
    found: defaultdict[str, list[Alert]] = defaultdict(list)
    for key, value in {record.key: record.value for record in log.of(NOTIFIED)}.items():
        if key is not None and value is not None:
            found[key.partition(b"/")[0].decode()].append(stored_alert.alert(value))
    return found


def plain_alerts(log: Log, reference: Reference, names: Iterable[str]) -> Iterator[Problem]:
    """The notified alerts in the profiles of ``names``, against the definition that shares no code with the core."""
    closed = _closed(log)
    for name in names:
        record = log.profiles.get(name.encode())
        if record is None or record.value is None:
            yield Problem("standing alert", f"{name} has no profile")
            continue
        known = reference.documents.decode(Document(record.value, dict(record.headers).get(STATE, b"")))
        found = {alert.id: (alert.rule, alert.key, alert.time, alert.end) for alert in [*closed[name], *known.alerts]}
        told = fold(Entry(*astuple(entry)) for entry in reference.arrivals[name])
        wanted = {i: (match.rule, match.key, match.time, match.end) for i, match in told.items()}
        if found != wanted:
            yield Problem("standing alert", f"{name}: {difference(found, wanted)}")
