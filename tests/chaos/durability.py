"""I4: a committed offset never exceeds durable effects. Held against samples that were taken during the run.

Nothing of the bus's decisions is known here: an input's effect is whatever stands on the output topics in its name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import orjson
from aiokafka import TopicPartition

from schemas.journal import EVENT, MERGE, MOVED, ORDER, header_of
from schemas.topics import JOURNAL, LINKS, TIMELINE

from .checker import Problem, letters
from .log import Log, Record
from .progress import Sample

Place = tuple[str, int, int]


@dataclass
class Effects:
    """Where something stands in whose name, by what names it."""

    origins: defaultdict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    """Of department records: links, journal and dead letters that intake wrote."""
    journaled: defaultdict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    """Of department records: journal records."""
    entries: dict[bytes, Place] = field(default_factory=dict)
    """The first of each timeline key."""
    refused: defaultdict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    """Of department records: dead letters that the journey wrote."""
    moves: defaultdict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    """Of moves: their parts in the journal."""


def effects(log: Log) -> Effects:
    """Of everything on the output topics."""
    found = Effects()
    for record in log.of(LINKS, JOURNAL):
        headers = dict(record.headers)
        place = record.topic, record.partition, record.offset
        if EVENT in headers:
            origin = header_of(headers).origin
            found.origins[origin].append(place)
            if record.topic == JOURNAL:
                found.journaled[origin].append(place)
        elif headers[ORDER] == MOVED:
            found.moves[orjson.loads(record.value or b"")["move"]].append(place)
    for letter in letters(log):
        stage = found.origins if letter.stage == "intake" else found.refused
        for origin in letter.origins:
            stage[origin].append((letter.record.topic, letter.record.partition, letter.record.offset))
    for record in log.of(TIMELINE):
        assert record.key is not None
        found.entries.setdefault(record.key, (record.topic, record.partition, record.offset))
    return found


def durable(log: Log, samples: Sequence[Sample], events: Iterable[str]) -> Iterator[Problem]:
    """Every input below a committed offset had its effect before the outputs' ends of the same sample.

    ``events``: the departments' topics. One sample judges an input: the first that counts it as done.
    """
    known = effects(log)
    inputs = {LINKS, JOURNAL, *events}
    for (topic, partition), records in sorted(log.records.items()):
        if topic not in inputs:
            continue
        tp = TopicPartition(topic, partition)
        judges = iter(samples)
        sample = next(judges, None)
        for record in records:
            while sample is not None and sample.committed[tp] <= record.offset:
                sample = next(judges, None)
            if sample is None:
                break
            for wanted in _wanted(record, known):
                if not any(offset < sample.ends[TopicPartition(*where)] for *where, offset in wanted):
                    yield Problem("lost", f"{record.origin} was committed before its effect was durable ({wanted[:2]})")


def judged(log: Log, samples: Sequence[Sample]) -> int:
    """How many inputs have had a sample to judge them."""
    if not samples:
        return 0
    last = samples[-1].committed
    return sum(
        sum(record.offset < last[tp] for record in records)
        for place, records in log.records.items()
        if (tp := TopicPartition(*place)) in last
    )


def _wanted(record: Record, known: Effects) -> Iterator[list[Place]]:
    """For each thing that the input must lead to: the places of which one must be there in time."""
    if record.topic == LINKS:
        yield known.journaled[header_of(dict(record.headers)).origin]
    elif record.topic != JOURNAL:
        yield known.origins[record.origin]
    else:
        yield from _journey(record, known)


def _journey(record: Record, known: Effects) -> Iterator[list[Place]]:
    assert record.key is not None
    headers = dict(record.headers)
    if EVENT in headers:
        about = header_of(headers)
        if about.kind == "event":  # a note changes the profile only, of which the log keeps the latest
            forwarded = _elsewhere(record, known.journaled[about.origin])
            yield _one(record.key, about.uid.hex(), about.origin, known, forwarded)
        return
    said = orjson.loads(record.value or b"")
    if headers[ORDER] == MERGE:
        yield known.moves[f"{record.key.decode()}/{said['version']}"]
        return
    forwarded = _elsewhere(record, known.moves[said["move"]])
    for entry in said["entries"]:
        yield _one(record.key, entry["uid"], entry["origin"], known, forwarded)


def _one(customer: bytes, uid: str, origin: str, known: Effects, forwarded: Sequence[Place]) -> list[Place]:
    """An entry on this customer's timeline, a dead letter, or the same record on its way to another customer."""
    entry = known.entries.get(b"%s/%s" % (customer, uid.encode()))
    return [*([] if entry is None else [entry]), *known.refused[origin], *forwarded]


def _elsewhere(record: Record, places: Sequence[Place]) -> list[Place]:
    """Those that can be the record sent on: in another partition, or behind it."""
    return [place for place in places if place[1] != record.partition or place[2] > record.offset]
