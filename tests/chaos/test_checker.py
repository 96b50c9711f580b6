"""The checker can fail: every kind of damage to a perfect log is found, and in a perfect log nothing is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec
import orjson
import pytest
from msgspec import structs

from agents.app import departments, rules
from agents.dead_letters import letter
from agents.documents import STATE
from agents.identifiers import Identifiers
from agents.pipeline import Pipeline, PipelineConfig
from core.identity.fuse import LINKS_A_DAY
from runtime.settings import Settings
from schemas.codec import Codec
from schemas.journal import Origin
from schemas.refusal import Reason, Refusal
from schemas.registry import Registry
from schemas.topics import DEAD, IDENTITIES, JOURNAL, TIMELINE, department_of, events_topic

from .business import Sent, business, cloud_event
from .checker import Problem, current, letters, positions
from .identities import identities
from .log import Log, Record
from .publication import Publication
from .verification import SAMPLE, Verifier

NOW = 1_772_409_600_000  # 2026-03-02T00:00Z, ms
EVENTS, CUSTOMERS, PARTITIONS = 1_000, 50, 2

REGISTRY = Registry.discover()
RULES = rules(Settings(), REGISTRY)
IDENTIFIERS = Identifiers(b"a key for the checker's tests")
CODEC = Codec(REGISTRY)


@dataclass(frozen=True, slots=True)
class World:
    """A business, and the perfect log that it left."""

    log: Log
    publication: Publication

    def copy(self) -> Log:
        """To be damaged."""
        records = {place: list(records) for place, records in self.log.records.items()}
        return Log(records, dict(self.log.profiles), self.log.profile_records)

    def judged(self, log: Log) -> list[Problem]:
        """What the checker finds."""
        return list(a_judge(sample=10).judge(log, self.publication))


def a_judge(sample: int = SAMPLE) -> Verifier:
    """Who knows what was published."""
    judge = Verifier(RULES, IDENTIFIERS, departments(REGISTRY), PARTITIONS, sample)
    judge.expect(business(1, EVENTS, CUSTOMERS, NOW * 1000))
    return judge


def perfect(sent: Sequence[Sent], batch: int = 50) -> Log:
    """What a bus leaves when nothing fails. Everything is published in its order, so many records a second."""
    config = PipelineConfig(RULES, IDENTIFIERS, REGISTRY, CODEC, PARTITIONS)
    with Pipeline(config) as bus:
        for number, one in enumerate(sent):
            at = NOW + 1000 * (number // batch + 1)
            bus.publish(department_of(one.topic), one.value, at, key=one.key, headers=one.headers)
            if number % batch == batch - 1:
                bus.run()
        bus.run()
        log = Log()
        for record in chain.from_iterable(bus.logs.values()):
            log.add(Record(*structs.astuple(record)))
        return log


@pytest.fixture(scope="module")
def world() -> World:
    log = perfect(sent := business(1, EVENTS, CUSTOMERS, NOW * 1000))
    publication = Publication()
    for record in log.of(*map(events_topic, departments(REGISTRY))):
        assert record.key is not None
        assert record.value is not None
        one = Sent(record.topic, record.key, record.value, tuple(record.headers))
        publication.acknowledge(one, (record.topic, record.partition, record.offset))
    assert len(sent) == len(publication)
    return World(log, publication)


def test_a_perfect_log_is_found_perfect_and_holds_something_of_everything(world: World) -> None:
    judge = a_judge()
    assert [] == list(judge.judge(world.log, world.publication))
    figures = judge.figures(world.log)
    rare = (figures.letters, figures.copies, figures.late, figures.merges, figures.moved, figures.alerts)
    assert all(rare), figures
    assert {"intake", "journey"} == {letter.stage for letter in letters(world.log)}


def test_a_place_that_the_broker_gives_away_a_second_time_is_a_loss() -> None:
    """It cut off the end of its log, which it had acknowledged, and went on from there."""
    topic = events_topic("sales")
    first, second = (Sent(topic, b"k", value, ()) for value in (b"1", b"2"))
    publication = Publication()
    for one in (first, second, second):
        publication.acknowledge(one, (topic, 0, 7))
    stands = Record(topic, 0, 7, NOW, b"k", b"2", ())
    assert [f"{topic}/0/7 was acknowledged; nothing stands there"] == [
        problem.what for problem in publication.problems([stands])
    ]


# --- damage ---------------------------------------------------------------------------------------------------------


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
    told = letter(
        None,
        b"",
        tuple(record.headers),
        "intake",
        Origin(topic, int(partition), int(offset)),
        Refusal(Reason.NOT_JSON, ""),
    ).headers
    log.records[DEAD, 0].append(record._replace(topic=DEAD, partition=0, headers=told))


def bury_what_nobody_published(log: Log) -> None:
    told = letter(
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


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lose_an_entry, {"lost", "timeline"}),
        (write_an_entry_twice, {"timeline"}),
        (put_an_entry_on_a_second_timeline, {"doubled", "timeline", "identity"}),
        (change_an_entry, {"timeline"}),
        (name_another_origin, {"timeline", "extra"}),
        (keep_a_moved_entry, {"doubled", "timeline", "identity"}),
        (say_an_alert_twice, {"alert doubled"}),
        (lose_an_alert, {"alert lost"}),
        (say_alerts_in_another_order, {"alert order"}),
        (change_the_reason_of_an_alert, {"alert order"}),
        (hold_a_wrong_state, {"profile"}),
        (show_a_wrong_profile, {"profile"}),
        (forget_a_notification, {"profile", "standing alert"}),
        (lose_a_profile, {"profile"}),
        (invent_a_profile, {"profile"}),
        (know_an_identifier_too_many, {"identity"}),
        (know_an_identifier_as_somebody_else, {"identity"}),
        (forget_a_merge, {"identity"}),
        (link_twice, {"identity"}),
        (lose_a_published_record, {"lost", "extra"}),
        (lambda log: lose_a_letter(log, "intake"), {"wrongly taken"}),
        (lambda log: lose_a_letter(log, "journey"), {"lost"}),
        (give_another_reason, {"wrongly buried"}),
        (bury_what_was_taken, {"wrongly buried"}),
        (bury_what_nobody_published, {"extra"}),
        (change_a_dead_letter, {"wrongly buried"}),
    ],
)
def test_damage_is_found_and_called_by_its_name(world: World, damage: Callable[[Log], None], found: set[str]) -> None:
    log = world.copy()
    damage(log)
    assert found == {problem.kind for problem in world.judged(log)}


def test_a_part_of_a_move_that_never_came_is_found(world: World) -> None:
    log = world.copy()
    lose_a_part_of_a_move(log)
    assert "move" in {problem.kind for problem in world.judged(log)}


def test_a_value_that_strangers_share_and_who_is_joined_through_it_is_judged_too() -> None:
    log = perfect([stranger(number) for number in range(LINKS_A_DAY + 5)])
    events = log.of(events_topic("web"))
    assert [] == list(identities(log, events, IDENTIFIERS))
    records = log.records[IDENTITIES, 0]
    records.remove(next(record for record in records if b'"blocked":' in (record.value or b"")))
    assert ["identity"] == [problem.kind for problem in identities(log, events, IDENTIFIERS)]


def stranger(number: int) -> Sent:
    known = [{"type": "customer_no", "value": f"X-{number}"}, {"type": "email", "value": "info@example.com"}]
    data = {"customer": {"identifiers": known}, "url": "https://shop.example/"}
    return Sent(events_topic("web"), b"", cloud_event("web.page.viewed.v1", "/shop", str(number), NOW * 1000, data))


def letter_of(record: Record, last: int | None = None) -> Record:
    """What intake says of the record, or of all from it up to ``last``."""
    origin = Origin(record.topic, record.partition, record.offset)
    value = record.value if last is None else b"the raw batch"
    made = letter(record.key, value, record.headers, "intake", origin, Refusal(Reason.TOO_LARGE, ""), last)
    return Record(DEAD, 0, record.offset, NOW, made.key, made.value, made.headers)


def test_a_letter_about_a_range_accounts_for_each_of_its_records_and_a_cut_one_for_what_it_kept() -> None:
    events = [Record(events_topic("web"), 0, offset, NOW, b"", b"%d" % offset * 1_500_000) for offset in range(4)]
    must_be_buried = {record.value or b"": "too-large" for record in events}
    log = Log()
    for made in (letter_of(events[0]), letter_of(events[1], last=7)):
        log.add(made)
    assert [] == list(positions(log, events, must_be_buried))
    log.records[DEAD, 0][0] = letter_of(events[0])._replace(value=b"1")
    assert ["wrongly buried"] == [problem.kind for problem in positions(log, events, must_be_buried)]
    log.records[DEAD, 0][1] = letter_of(events[1], last=2)
    assert {"wrongly buried", "wrongly taken"} == {problem.kind for problem in positions(log, events, must_be_buried)}
