"""The comparison: where the topics differ from what must be. A faultless log has no differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from .difference import Difference, counted, first
from .journal import Told, canonical, said
from .oracle import Oracle
from .routing import journaled, letters, moved, routed
from .topics import IDENTITIES, LINKS, PROFILES, TIMELINE, Topics


def differences(topics: Topics, oracle: Oracle) -> list[Difference]:
    """Everything that the bus wrote, against everything that it must have written."""
    return [
        *routed(topics, oracle),
        *journaled(topics, oracle),
        *moved(topics, oracle),
        *letters(topics, oracle),
        *identities(topics, oracle),
        *timeline(topics, oracle),
        *alerts(topics, oracle),
        *profiles(topics, oracle),
    ]


def identities(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """Who is who, and no word more; the key's fingerprint beside it."""
    found = Counter((r.key or b"", canonical(said(r))) for r in topics.of(IDENTITIES) if r.key != b"#key")
    keys = sum(r.key == b"#key" for r in topics.of(IDENTITIES))
    if keys != bool(topics.of(LINKS)):
        yield Difference(IDENTITIES, f"the key's fingerprint is there {keys} times")
    wanted = Counter((key.encode(), canonical(value)) for key, value in oracle.identities.learned)
    yield from counted(IDENTITIES, found, wanted)


def timeline(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """Every entry and every tombstone, in order."""
    logs = topics.log(TIMELINE)
    for partition in sorted(logs.keys() | oracle.journal.timeline.keys()):
        found = [(r.key or b"", None if r.value is None else said(r)["data"]) for r in logs.get(partition, [])]
        wanted = [(entered.key.encode(), entered.data) for entered in oracle.journal.timeline[partition]]
        keys, due = Counter(key for key, _ in found), Counter(key for key, _ in wanted)
        if keys != due:
            yield from counted(TIMELINE, keys, due)
        elif found != wanted:
            yield Difference(TIMELINE, first(found, wanted))


def alerts(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """Every message to every department; those of one journal record in any order."""
    logs = topics.alerts()
    for place in sorted(logs.keys() | oracle.journal.alerts.keys()):
        where = f"alerts of {place[0]}, partition {place[1]}"
        found = [(said(record)["id"], record) for record in logs.get(place, [])]
        wanted = {told.id: told for told in oracle.journal.alerts[place]}
        told, due = Counter(name for name, _ in found), Counter(t.id for t in oracle.journal.alerts[place])
        yield from counted(where, told, due)
        for name, record in found:
            if name in wanted and not _as_told(said(record)["data"], wanted[name]):
                yield Difference(where, f"{name}: {first(said(record)['data'], wanted[name].data)}")
            envelope = record.key, said(record)["source"], said(record)["type"], said(record)["time"]
            if name in wanted and envelope != wanted[name].envelope:
                yield Difference(where, f"{name}: {first(envelope, wanted[name].envelope)}")
        order = [wanted[name].place for name, _ in found if name in wanted]
        if order != sorted(order):
            yield Difference(where, "messages are not in the journal's order")


def _as_told(found: Mapping[str, Any], wanted: Told) -> bool:
    if wanted.bare and found["evidence"] == []:
        return found == {**wanted.data, "evidence": []}
    return found == wanted.data


def profiles(topics: Topics, oracle: Oracle) -> Iterator[Difference]:
    """The latest word on everybody, without the bus's own memory."""
    found = {r.key.decode(): said(r)["data"] for r in topics.of(PROFILES) if r.key is not None}
    wanted = oracle.profiles()
    yield from counted(PROFILES, Counter(list(found)), Counter(list(wanted)))
    for name in sorted(found.keys() & wanted.keys()):
        public = {field: value for field, value in found[name].items() if field != "state"}
        if "standing" in public:
            public["standing"] = sorted(public["standing"])
        if public != wanted[name]:
            yield Difference(PROFILES, f"{name}: {first(public, wanted[name])}")
