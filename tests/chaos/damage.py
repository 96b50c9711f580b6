"""Damage to a perfect log, one kind at a time, as a fault of the bus would leave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import orjson

from agents.dead_letters import dead_letter
from agents.documents import STATE
from schemas.journal import Origin
from schemas.refusal import Reason, Refusal
from schemas.topics import DEAD, IDENTITIES, JOURNAL, TIMELINE, events_topic

from .checker import current, letters
from .log import Log, Record
from .perfect import NOW, a_judge
from .publication import Publication


def changed(record: Record, change: Callable[[Any], None]) -> Record:
    """The record with other JSON in it."""
    assert record.value is not None
    value = orjson.loads(record.value)
    change(value)
    return record._replace(value=orjson.dumps(value))


def restated(record: Record, change: Callable[[list[Any]], None]) -> Record:
    """A profile with another state in its header."""
    headers = dict(record.headers)
    state = msgspec.msgpack.decode(headers[STATE])
    change(state)
    return record._replace(headers=tuple((headers | {STATE: msgspec.msgpack.encode(state)}).items()))


def place_of(record: Record) -> tuple[str, int]:
    return record.topic, record.partition


def an_entry(log: Log) -> Record:
    """An entry that stands and was never moved."""
    stands = current(log)
    return next(
        r
        for r in log.of(TIMELINE)
        if r.key in stands and r.value is not None and not orjson.loads(r.value)["data"]["moved"]
    )


def alerts(log: Log) -> list[Record]:
    """All that was said in the partition that has most alerts."""
    found = [records for (topic, _), records in log.records.items() if topic.startswith("cx.alerts.")]
    return max(found, key=len)


def lose_an_entry(log: Log) -> None:
    entry = an_entry(log)
    log.records[place_of(entry)].remove(entry)


def write_an_entry_twice(log: Log) -> None:
    entry = an_entry(log)
    log.records[place_of(entry)].append(entry)


def put_an_entry_on_a_second_timeline(log: Log) -> None:
    entry = an_entry(log)
    assert entry.key is not None
    log.records[place_of(entry)].append(entry._replace(key=b"c_other/" + entry.key.partition(b"/")[2]))


def change_an_entry(log: Log) -> None:
    entry = an_entry(log)
    records = log.records[place_of(entry)]

    def other(value: Any) -> None:
        value["data"]["event"]["data"]["extra"] = 1

    records[records.index(entry)] = changed(entry, other)


def name_another_origin(log: Log) -> None:
    entry = an_entry(log)
    records = log.records[place_of(entry)]

    def other(value: Any) -> None:
        value["data"]["origin"] = f"{events_topic('web')}/0/999999"

    records[records.index(entry)] = changed(entry, other)


def keep_a_moved_entry(log: Log) -> None:
    tombstone = next(r for r in log.of(TIMELINE) if r.value is None)
    log.records[place_of(tombstone)].remove(tombstone)


def say_an_alert_twice(log: Log) -> None:
    records = alerts(log)
    records.append(records[0])


def lose_an_alert(log: Log) -> None:
    alerts(log).pop()


def say_alerts_in_another_order(log: Log) -> None:
    alerts(log).reverse()


def change_the_reason_of_an_alert(log: Log) -> None:
    def other(value: Any) -> None:
        value["data"]["reason"] += "!"

    records = alerts(log)
    records[0] = changed(records[0], other)


def a_profile(log: Log) -> bytes:
    """Key of the profile of somebody small who was told of."""
    judge = a_judge(sample=1)
    list(judge.judge(log, Publication()))
    return judge.sample()[0].encode()


def hold_a_wrong_state(log: Log) -> None:
    def other(state: list[Any]) -> None:
        state[6] += 1

    key = a_profile(log)
    log.profiles[key] = restated(log.profiles[key], other)


def forget_a_notification(log: Log) -> None:
    def other(state: list[Any]) -> None:
        (state[10] or state[11]).pop()

    key = a_profile(log)
    log.profiles[key] = restated(log.profiles[key], other)


def show_a_wrong_profile(log: Log) -> None:
    def other(value: Any) -> None:
        value["data"]["entries"] += 1

    key = a_profile(log)
    log.profiles[key] = changed(log.profiles[key], other)


def lose_a_profile(log: Log) -> None:
    log.profiles.popitem()


def invent_a_profile(log: Log) -> None:
    log.profiles[b"c_other"] = next(iter(log.profiles.values()))


def know_an_identifier_too_many(log: Log) -> None:
    known = next(r for r in log.of(IDENTITIES) if r.key is not None and r.key.startswith(b"i/"))
    log.records[place_of(known)].append(known._replace(key=b"i/nobody"))


def know_an_identifier_as_somebody_else(log: Log) -> None:
    records = log.records[IDENTITIES, 0]
    known = [r for r in records if r.key is not None and r.key.startswith(b"i/")]
    records[records.index(known[-1])] = known[-1]._replace(value=known[0].value)


def forget_a_merge(log: Log) -> None:
    records = log.records[IDENTITIES, 0]
    records.remove(next(r for r in records if b"mergedInto" in (r.value or b"")))


def link_twice(log: Log) -> None:
    records = log.records[IDENTITIES, 0]
    records.append(next(r for r in records if r.key is not None and r.key.startswith(b"i/")))


def lose_a_published_record(log: Log) -> None:
    entry = an_entry(log)
    assert entry.value is not None
    topic, partition, offset = orjson.loads(entry.value)["data"]["origin"].rsplit("/", 2)
    records = log.records[topic, int(partition)]
    records.remove(next(r for r in records if r.offset == int(offset)))


def lose_a_letter(log: Log, stage: str) -> None:
    records = log.records[DEAD, 0]
    records.remove(next(letter.record for letter in letters(log) if letter.stage == stage))


def give_another_reason(log: Log) -> None:
    records = log.records[DEAD, 0]
    letter = next(letter for letter in letters(log) if letter.stage == "intake").record
    headers = [(name, b"other" if name.endswith("exception") else value) for name, value in letter.headers]
    records[records.index(letter)] = letter._replace(headers=headers)


def bury_what_was_taken(log: Log) -> None:
    entry = an_entry(log)
    assert entry.value is not None
    held = orjson.loads(entry.value)["data"]
    topic, partition, offset = held["origin"].rsplit("/", 2)
    record = next(r for r in log.records[topic, int(partition)] if r.offset == int(offset))
    told = dead_letter(
        None,
        b"",
        tuple(record.headers),
        "intake",
        Origin(topic, int(partition), int(offset)),
        Refusal(Reason.NOT_JSON, ""),
    ).headers
    log.records[DEAD, 0].append(record._replace(topic=DEAD, partition=0, headers=told))


def bury_what_nobody_published(log: Log) -> None:
    told = dead_letter(
        None, b"", (), "intake", Origin(events_topic("web"), 0, 999_999), Refusal(Reason.NOT_JSON, "")
    ).headers
    log.records[DEAD, 0].append(Record(DEAD, 0, 999_999, NOW, None, b"{", told))


def change_a_dead_letter(log: Log) -> None:
    records = log.records[DEAD, 0]
    letter = next(letter for letter in letters(log) if letter.stage == "intake").record
    records[records.index(letter)] = letter._replace(key=b"another")


def lose_a_part_of_a_move(log: Log) -> None:
    moved = next(r for r in log.of(JOURNAL) if ("kind", b"moved") in r.headers)
    log.records[place_of(moved)].remove(moved)
