"""The checker of the sink's database finds what is planted, and nothing where nothing is wrong."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from engine.kafka.copies import Log, Reached
from engine.kafka.record import Record as SinkRecord
from schemas.alerted import ALERTED
from schemas.outputs import OUTPUTS
from schemas.topics import IDENTITIES, PROFILES, TIMELINE, alerts_topic
from sinks.base import Topics
from sinks.sql.sqlite import open_sink

from .sink_checker import Copy
from .sink_log import Contents, Identity, Place, Record
from .sink_stage import PARTITIONS, SIZES
from .sink_story import START, Draft, Story

NOW_MS = START // 1000
TOPICS = Topics(TIMELINE, PROFILES, IDENTITIES, {name: alerts_topic(name) for name in ALERTED})
IDENTITY = Identity("cluster", {name: f"{name}-id" for name in SIZES})


def written(drafts: list[Draft]) -> Contents:
    """As a broker would have them, a few in the same millisecond, some offsets taken by markers."""
    ends: dict[Place, int] = {(name, number): 0 for name, count in SIZES.items() for number in range(count)}
    records = []
    for number, draft in enumerate(drafts):
        place = (draft.topic, draft.partition)
        records.append(Record(*place, ends[place], NOW_MS + number // 3, draft.key, draft.value))
        ends[place] += 2 if number % 10 == 0 else 1
    return Contents(records, ends, IDENTITY)


@pytest.fixture(scope="module")
def topics() -> Contents:
    return written(Story(1, PARTITIONS).unit(400))


@pytest.fixture(scope="module")
def sound(topics: Contents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that a sink has made of them."""
    return made(tmp_path_factory.mktemp("sound") / "cxbus.db", topics, topics.records)


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    """One for each test, to be damaged."""
    return Path(shutil.copy(sound, tmp_path))


def made(path: Path, topics: Contents, records: Iterable[Record]) -> Path:
    """By a sink that gets these records, each topic as a whole after the other, and is told that it is at the ends."""
    sink = open_sink(path, TOPICS)
    sink.attach({place: Log("cluster", f"{place[0]}-id", 0, end) for place, end in topics.ends.items()}, NOW_MS)
    sink.add([SinkRecord(*record, (("v", b"1"),)) for record in sorted(records, key=lambda r: (r.topic, r.offset))])
    last = NOW_MS + len(topics.records)
    sink.reached({place: Reached(end, last) for place, end in topics.ends.items()})
    sink.flush()
    sink.close()
    return path


def changed(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        changes = connection.total_changes
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        assert connection.total_changes > changes


def test_the_story_says_what_the_bus_promises_to_say_and_has_everything_in_it() -> None:
    story = Story(2, PARTITIONS)
    drafts = [*story.unit(3000), *story.trap(50)]
    kinds: set[tuple[str, object, bytes]] = set()
    for draft in drafts:
        if draft.topic == IDENTITIES or draft.value is None:
            kinds.add((draft.topic, draft.value is None, draft.key[:1]))
            continue
        try:
            event = orjson.loads(draft.value)
            OUTPUTS[event["type"]].model_validate(event["data"])
        except (orjson.JSONDecodeError, TypeError, KeyError):
            kinds.add((draft.topic, "poison", b""))
        else:
            kinds.add((draft.topic, event["data"].get("state") if "alerts" in draft.topic else "event", b""))
    states = {"fired", "updated", "resolved", "expired", "retracted"}
    assert {(alerts_topic(name), state, b"") for name in ALERTED for state in states} < kinds
    assert {(topic, what, b"") for topic in (TIMELINE, PROFILES) for what in ("event", "poison")} < kinds
    assert {(TIMELINE, True, b"c"), (PROFILES, True, b"c"), (IDENTITIES, True, b"i"), (IDENTITIES, True, b"c")} < kinds
    assert {(IDENTITIES, False, first) for first in (b"i", b"c", b"#")} < kinds


def test_the_same_seed_tells_the_same_story() -> None:
    assert Story(3, PARTITIONS).unit(300) == Story(3, PARTITIONS).unit(300)
    assert Story(3, PARTITIONS).unit(300) != Story(4, PARTITIONS).unit(300)


def test_a_database_that_is_the_fold_of_the_topics_has_no_differences(path: Path, topics: Contents) -> None:
    assert [] == Copy(path).differences(topics)


def test_a_database_in_the_middle_is_held_against_what_is_before_its_offsets(path: Path, topics: Contents) -> None:
    chance = random.Random(1)
    some = {place: chance.randint(0, end) for place, end in topics.ends.items()}
    assert [] != Copy(path).differences(topics.before(some))


PLANTED = {
    "a missing entry": "DELETE FROM timeline WHERE rowid IN (SELECT rowid FROM timeline LIMIT 1)",
    "a missing profile": "DELETE FROM profiles WHERE rowid IN (SELECT rowid FROM profiles LIMIT 1)",
    "a missing alert": "DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts LIMIT 1)",
    "a missing identity": "DELETE FROM identities WHERE rowid IN (SELECT rowid FROM identities LIMIT 1)",
    "a department not told": "DELETE FROM alert_departments WHERE rowid = (SELECT max(rowid) FROM alert_departments)",
    "a mark lost": "DELETE FROM forgotten WHERE rowid IN (SELECT rowid FROM forgotten LIMIT 1)",
    "an entry too many": "INSERT INTO timeline SELECT customer_id, 'other', department, type, at, received, time,"
    " source, event_id, data, identifiers, late, moved, log_partition, log_offset FROM timeline LIMIT 1",
    "somebody nobody knows": "INSERT INTO identities SELECT 'i/0', customer_id, type, merged_into, document, log_offset"
    " FROM identities LIMIT 1",
    "a mark invented": "INSERT INTO forgotten VALUES ('c_nobody', 1)",
    "a stale profile": "UPDATE profiles SET document = json_set(document, '$.entries', 0) WHERE rowid IN"
    " (SELECT rowid FROM profiles WHERE merged_into IS NULL AND json_extract(document, '$.entries') > 2 LIMIT 1)",
    "an offset ahead of data": "UPDATE sink_offsets SET next_offset = 1 + next_offset WHERE topic LIKE 'cx.profiles%'",
    "an offset behind": "UPDATE sink_offsets SET next_offset = next_offset - 1 WHERE topic = 'cx.alerts.sales.v1'",
    "an offset gone": "DELETE FROM sink_offsets WHERE topic = 'cx.timeline.v1' AND partition = 0",
    "another topic": "UPDATE sink_offsets SET topic_id = 'other' WHERE topic = 'cx.timeline.v1' AND partition = 0",
    "another cluster": "UPDATE sink_offsets SET cluster_id = 'other' WHERE topic = 'cx.timeline.v1'",
    "another kind": "UPDATE sink_offsets SET kind = 'profiles' WHERE topic = 'cx.timeline.v1'",
    "seen in the future": "UPDATE sink_offsets SET as_of_ms = 99999999999999",
    "seen too early": "UPDATE sink_offsets SET as_of_ms = 0",
}


@pytest.mark.parametrize("damage", PLANTED)
def test_planted_damage_is_found(damage: str, path: Path, topics: Contents) -> None:
    changed(path, PLANTED[damage])
    found = Copy(path).differences(topics)
    assert 1 <= len(found) <= 3 if "seen" not in damage else found, found


def columns() -> Iterator[tuple[str, str]]:
    from sinks.sql import model

    for name in ("timeline", "profiles", "identities", "alerts", "alert_departments", "forgotten"):
        yield from ((name, column.name) for column in model.metadata.tables[name].columns)


@pytest.mark.parametrize(("table", "column"), list(columns()))
def test_a_wrong_value_in_any_column_is_found(table: str, column: str, path: Path, topics: Contents) -> None:
    value = "'[7]'" if column in ("data", "identifiers", "document", "evidence", "customer") else "77"
    changed(path, f"UPDATE {table} SET {column} = {value} WHERE rowid IN (SELECT rowid FROM {table} LIMIT 1)")
    assert [] != Copy(path).differences(topics)


def test_a_row_that_stands_there_twice_is_found(path: Path, topics: Contents) -> None:
    changed(
        path,
        "CREATE TABLE twice AS SELECT * FROM profiles",
        "INSERT INTO twice SELECT * FROM profiles LIMIT 1",
        "DROP TABLE profiles",
        "ALTER TABLE twice RENAME TO profiles",
    )
    (found,) = Copy(path).differences(topics)
    assert "stands there 2 times" in found


def test_a_sink_that_skips_a_batch_is_found(topics: Contents, tmp_path: Path) -> None:
    skipped = {r for r in topics.records if r.topic == TIMELINE and r.partition == 1 and 40 <= r.offset < 60}
    path = made(tmp_path / "cxbus.db", topics, [r for r in topics.records if r not in skipped])
    found = Copy(path).differences(topics)
    assert 1 <= len(found) <= len(skipped)
    assert {"timeline"} == {difference.partition(":")[0] for difference in found}


def test_pages_of_an_unfinished_transaction_are_seen_in_what_a_crash_leaves(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA cache_size=2")
        connection.execute("CREATE TABLE t (x)")
        assert 0 == Copy(path).uncommitted()
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 3000,)] * 100)
        copy = Copy(path)
        assert copy.uncommitted() > 0
        assert copy.half_written()
        connection.execute("COMMIT")
        assert 0 == copy.uncommitted()
        assert not copy.half_written()
