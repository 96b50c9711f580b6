"""What every sink promises, checked on every database.

The measure is ``plain.fold``: whatever happens, a database equals the fold of the records before its offsets.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.kafka.copies import MAX_PAUSE_MS, Reached
from engine.kafka.record import Record
from schemas.outputs import OUTPUTS
from sinks.base import Sink, SinkUnavailable
from tests.unit.sinks.backends import BACKENDS, Backend
from tests.unit.sinks.messages import START_MS, TOPICS, Logs, alert, cloudevent, entry, profile, redirect, tell
from tests.unit.sinks.plain import fold
from tests.unit.sinks.writing import busy_logs, write

NOW_MS = START_MS + 3_600_000


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
def logs() -> Logs:
    return Logs()


@pytest.fixture
def sink(backend: Backend, logs: Logs) -> Iterator[Sink]:
    opened = backend.open()
    opened.attach(logs.logs(), NOW_MS)
    yield opened
    opened.close()


def some_of_everything(logs: Logs) -> None:
    logs.append(TOPICS.timeline, "c_1/u1", entry("c_1", "u1"))
    logs.append(TOPICS.timeline, "c_1/u2", entry("c_1", "u2", late=True))
    logs.append(TOPICS.profiles, "c_1", profile("c_1"))
    logs.append(TOPICS.profiles, "c_2", redirect("c_2", "c_1"))
    logs.append(TOPICS.identities, "#key", {"fingerprint": "abc"})
    logs.append(TOPICS.identities, "i/1f", {"id": "c_1", "type": "email"})
    logs.append(TOPICS.identities, "c/c_2", {"born": 3, "mergedInto": "c_1", "version": 9})
    tell(logs, alert("c_1"))


def copied(sink: Sink, records: Sequence[Record]) -> None:
    sink.add(records)
    sink.flush()


@pytest.mark.parametrize("event", [entry(), profile(), redirect("c_2", "c_1"), alert(), alert(state="expired")])
def test_the_hand_made_messages_are_what_the_bus_promises_to_say(event: dict[str, Any]) -> None:
    OUTPUTS[event["type"]].model_validate(event["data"])


def test_a_new_database_has_read_nothing(backend: Backend) -> None:
    sink = backend.open()
    assert sink.positions() == {}
    sink.close()


def test_after_a_flush_the_database_is_the_fold_of_the_records(sink: Sink, logs: Logs, backend: Backend) -> None:
    some_of_everything(logs)
    copied(sink, logs.records)
    assert backend.tables() == fold(logs.records)
    assert sink.positions() == logs.ends


def test_nothing_shows_before_the_flush(sink: Sink, logs: Logs, backend: Backend) -> None:
    some_of_everything(logs)
    sink.add(logs.records)
    assert backend.tables() == fold([])
    assert set(sink.positions().values()) == {0}


def test_a_sink_goes_on_where_the_one_before_ended(sink: Sink, logs: Logs, backend: Backend) -> None:
    some_of_everything(logs)
    copied(sink, logs.records[:4])
    sink.close()
    again = backend.open()
    offsets = again.attach(logs.logs(), NOW_MS)
    assert offsets == {(TOPICS.timeline, 0): 2, (TOPICS.profiles, 0): 2} | dict.fromkeys(
        [(TOPICS.identities, 0), *((topic, 0) for topic in TOPICS.alerts.values())], 0
    )
    copied(again, [record for record in logs.records if record.offset >= offsets[record.topic, record.partition]])
    assert backend.tables() == fold(logs.records)
    again.close()


def test_records_that_come_again_change_nothing(sink: Sink, logs: Logs, backend: Backend) -> None:
    logs.append(TOPICS.timeline, "c_1/u1", entry("c_1", "u1"))
    logs.append(TOPICS.timeline, "c_1/u1", entry("c_1", "u1", department="service"))
    logs.append(TOPICS.timeline, "c_1/u2", entry("c_1", "u2"))
    logs.append(TOPICS.timeline, "c_1/u2", None)
    sink.add([*logs.records, logs.records[0]])
    assert sink.flush().records == 4
    sink.add([logs.records[0], logs.records[2]])
    assert sink.flush().records == 0
    assert backend.tables() == fold(logs.records)
    assert sink.positions()[TOPICS.timeline, 0] == 4


def test_a_locked_database_keeps_the_batch_until_it_can_be_written(sink: Sink, logs: Logs, backend: Backend) -> None:
    some_of_everything(logs)
    sink.add(logs.records)
    with backend.locked():
        for _ in range(3):
            with pytest.raises(SinkUnavailable):
                sink.flush()
        assert backend.tables() == fold([])
    assert sink.flush().records == len(logs.records)
    assert backend.tables() == fold(logs.records)


@pytest.mark.parametrize("table", ["timeline", "profiles", "identities", "alerts", "alert_departments", "sink_offsets"])
def test_a_flush_that_fails_anywhere_writes_nothing_at_all(
    table: str, sink: Sink, logs: Logs, backend: Backend
) -> None:
    some_of_everything(logs)
    sink.add(logs.records)
    with backend.refusing(table), pytest.raises(SinkUnavailable):
        sink.flush()
    assert backend.tables() == fold([])
    assert set(sink.positions().values()) == {0}
    sink.flush()
    assert backend.tables() == fold(logs.records)


def test_a_database_that_is_locked_from_the_start_can_be_tried_again(backend: Backend, logs: Logs) -> None:
    sink = backend.open()
    with backend.locked(), pytest.raises(SinkUnavailable):
        sink.attach(logs.logs(), NOW_MS)
    assert set(sink.attach(logs.logs(), NOW_MS).values()) == {0}
    sink.close()


def test_an_error_tells_nothing_of_a_customer(sink: Sink, logs: Logs, backend: Backend) -> None:
    some_of_everything(logs)
    sink.add(logs.records)
    with backend.refusing("profiles"), pytest.raises(SinkUnavailable) as raised:
        sink.flush()
    for said in (str(raised.value), str(raised.value.__cause__)):
        assert "c_1" not in said
        assert "Ada" not in said


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_a_process_killed_in_the_middle_of_a_flush_leaves_a_database_that_equals_its_offsets(
    name: str, tmp_path: Path
) -> None:
    backend = BACKENDS[name](tmp_path)
    logs = busy_logs()
    spawn = multiprocessing.get_context("spawn")
    chance = random.Random(7)
    torn = 0
    for flushes in (1, 2, 4, 3, 2, 5):
        ours, theirs = spawn.Pipe(duplex=False)
        child = spawn.Process(target=write, args=(name, str(tmp_path), theirs))
        child.start()
        theirs.close()
        for _ in range(flushes):
            ours.recv()
        time.sleep(chance.uniform(0, 0.03))
        child.kill()
        child.join()
        ours.close()
        sink = backend.open()
        offsets = sink.positions()
        sink.close()
        seen = [record for record in logs.records if record.offset < offsets.get((record.topic, record.partition), 0)]
        assert backend.tables() == fold(seen)
        torn += len(seen) < len(logs.records)
        child.close()
    assert torn >= 3, "most of the kills should have hit a database that was not finished"
    write(name, str(tmp_path), None)
    assert backend.tables() == fold(logs.records)


POISON: dict[str, tuple[str | bytes | None, Any]] = {
    "no key": (None, entry()),
    "an empty key": ("", entry()),
    "a key that is not text": (b"\xff/u1", entry()),
    "a key without an event": ("c_1", entry()),
    "a key with NUL": ("c_1/\0", entry()),
    "a key too long for an index": ("c_1/" + "u" * 3000, entry()),
    "not JSON": ("c_1/u1", b"{"),
    "an empty value": ("c_1/u1", b""),
    "not UTF-8": ("c_1/u1", b'"\xff"'),
    "a lone surrogate": ("c_1/u1", b'{"specversion":"1.0","id":"\\ud800"}'),
    "very deep JSON": ("c_1/u1", b"[" * 100_000 + b"]" * 100_000),
    "JSON too deep to be looked at": (
        "c_1/u1",
        json.dumps(entry(event={"HERE": 1} | entry()["data"]["event"]))
        .encode()
        .replace(b'"HERE": 1', b'"data": ' + b"[" * 1020 + b"]" * 1020),
    ),
    "JSON that can be read but not written": ("c_1/u1", entry(identifiers=json.loads("[" * 500 + "]" * 500))),
    "an array": ("c_1/u1", []),
    "no CloudEvent": ("c_1/u1", {"a": 1}),
    "another major version": ("c_1/u1", entry() | {"type": "cx.timeline.entry.v2"}),
    "a type that is no text": ("c_1/u1", entry() | {"type": {}}),
    "no data": ("c_1/u1", cloudevent("cx.timeline.entry.v1", "1", {}) | {"data": None}),
    "another customer": ("c_1/u1", entry("c_2")),
    "no event": ("c_1/u1", entry(event=None)),
    "an event without time": ("c_1/u1", entry(event={"source": "s", "id": "1", "type": "t", "data": {}})),
    "an event's data that is no object": ("c_1/u1", entry(event=entry()["data"]["event"] | {"data": [1]})),
    "a number for a text": ("c_1/u1", entry(department=1)),
    "a text for an instant": ("c_1/u1", entry() | {"data": entry()["data"] | {"at": "2026"}}),
    "true for an instant": ("c_1/u1", entry() | {"data": entry()["data"] | {"at": True}}),
    "an instant beyond 64 bits": ("c_1/u1", entry(at=2**63)),
    "an instant far beyond": ("c_1/u1", entry(at=10**40)),
}


@pytest.mark.parametrize("what", POISON)
def test_a_record_that_cannot_be_read_is_counted_and_stops_nothing(
    what: str, sink: Sink, logs: Logs, backend: Backend
) -> None:
    logs.append(TOPICS.timeline, "c_1/u0", entry("c_1", "u0"))
    key, value = POISON[what]
    poison = logs.append(TOPICS.timeline, key, value)
    logs.append(TOPICS.timeline, "c_1/u2", entry("c_1", "u2"))
    sink.add(logs.records)
    flushed = sink.flush()
    assert (flushed.records, sum(flushed.unreadable.values())) == (3, 1)
    assert backend.tables() == fold(record for record in logs.records if record is not poison)
    assert sink.positions()[TOPICS.timeline, 0] == 3


@pytest.mark.parametrize(
    ("topic", "key", "value"),
    [
        (TOPICS.profiles, "c_1", profile("c_2")),
        (TOPICS.profiles, "c_1", profile(name=7)),  # type: ignore[arg-type]  # wrong on purpose
        (TOPICS.profiles, "c_1", profile(mergedInto="")),
        (TOPICS.profiles, "c_1", entry()),
        (TOPICS.identities, "i/1", []),
        (TOPICS.identities, "i/1", {"type": "email"}),
        (TOPICS.identities, "c/", {"born": 1}),
        (TOPICS.identities, "x/1", {"id": "c_1"}),
        (TOPICS.identities, "#key", b"{"),
        (TOPICS.alerts["sales"], "c_1", alert(time="yesterday")),
        (TOPICS.alerts["sales"], "c_1", alert(time=1_780_000_000)),
        (TOPICS.alerts["sales"], "c_1", alert(time="0001-01-01T00:00:00+14:00")),
        (TOPICS.alerts["sales"], "c_1", alert(expiresAt="2026-13-01T00:00:00Z")),
        (TOPICS.alerts["sales"], "c_1", alert(alert_id="")),
        (TOPICS.alerts["sales"], "c_1", alert(ruleVersion=2**70)),
        (TOPICS.alerts["sales"], "c_1", alert(evidence={})),
        (TOPICS.alerts["sales"], "c_2", alert("c_1")),
    ],
)
def test_poison_on_the_other_topics_is_counted_too(
    topic: str, key: str, value: Any, sink: Sink, logs: Logs, backend: Backend
) -> None:
    logs.append(topic, key, value)
    sink.add(logs.records)
    assert list(sink.flush().unreadable.values()) == [1]
    assert backend.tables() == fold([])


def test_a_topic_full_of_poison_is_read_to_its_end(sink: Sink, logs: Logs) -> None:
    for number in range(5000):
        logs.append(TOPICS.timeline, f"c_1/{number}", b"\x00" * (number % 50))
    sink.add(logs.records)
    assert sink.flush().unreadable == {(TOPICS.timeline, "not-json"): 5000}
    assert sink.positions()[TOPICS.timeline, 0] == 5000


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    name=st.sampled_from(["customerId", "at", "event", "identifiers", "department", "late", "received", "moved"]),
    inside=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_of_any_field_stops_a_flush(
    value: Any, name: str, inside: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for make in BACKENDS.values():
        logs = Logs()
        sink = make(tmp_path_factory.mktemp("any")).open()
        sink.attach(logs.logs(), NOW_MS)
        changed: dict[str, Any] = {name: value}
        if inside:
            changed = {"event": entry()["data"]["event"] | {"data": value}}
        logs.append(TOPICS.timeline, "c_1/u1", entry() | {"data": entry()["data"] | changed})
        logs.append(TOPICS.profiles, "c_1", profile(tier=value, extra=value))
        logs.append(TOPICS.identities, "i/1", {"id": value, "type": "email"})
        tell(logs, alert(customer="c_1", muted=value, reason=value, evidence=value))
        sink.add(logs.records)
        assert sink.flush().records == 5
        sink.close()


def test_what_the_bus_did_not_write_changes_nothing_and_is_counted(sink: Sink, backend: Backend, logs: Logs) -> None:
    some_of_everything(logs)
    copied(sink, logs.records)
    before = backend.tables()
    ours = len(logs.records)
    for topic, key, value in (
        (TOPICS.timeline, "c_1/u1", None),
        (TOPICS.timeline, "c_1/u9", entry("c_1", "u9")),
        (TOPICS.profiles, "c_1", None),
        (TOPICS.profiles, "c_1", profile("c_1", "Mallory")),
        (TOPICS.identities, "i/1f", {"id": "c_9", "type": "email"}),
        (TOPICS.alerts["sales"], "c_1", alert("c_1", state="retracted")),
        (TOPICS.alerts["sales"], "c_1", None),
    ):
        for headers in ((), (("v", b"junk"),), (("v", b""), ("kind", b"1"))):
            logs.append(topic, key, value, headers=headers)
    sink.add(logs.records[ours:])
    flushed = sink.flush()
    topics = (TOPICS.timeline, TOPICS.profiles, TOPICS.identities, TOPICS.alerts["sales"])
    assert {(topic, "foreign-record") for topic in topics} == flushed.unreadable.keys()
    assert 21 == sum(flushed.unreadable.values())
    assert before == backend.tables()


def test_text_of_all_scripts_is_kept_and_nul_only_in_json(sink: Sink, logs: Logs, backend: Backend) -> None:
    name = "Zoë مرحبا \U0001f600\0\u202e"
    logs.append(TOPICS.profiles, "c_1", profile("c_1", name))
    logs.append(TOPICS.timeline, "c_1/u1", entry(event=entry()["data"]["event"] | {"id": name, "data": {name: name}}))
    copied(sink, logs.records)
    readable = name.replace("\0", "\ufffd")
    tables = backend.tables()
    assert tables["profiles"][("c_1",)]["name"] == readable
    assert tables["profiles"][("c_1",)]["document"]["name"] == name
    assert tables["timeline"]["c_1", "u1"]["event_id"] == readable
    assert tables["timeline"]["c_1", "u1"]["data"] == {name: name}


def test_values_of_two_mebibytes_are_kept(sink: Sink, logs: Logs, backend: Backend) -> None:
    big = "x" * (2 * 1024 * 1024)
    logs.append(TOPICS.timeline, "c_1/u1", entry(event=entry()["data"]["event"] | {"data": {"note": big}}))
    logs.append(TOPICS.profiles, "c_1", profile("c_1", big))
    copied(sink, logs.records)
    assert backend.tables() == fold(logs.records)


def test_whole_numbers_of_an_event_are_exact_whatever_their_size(sink: Sink, logs: Logs, backend: Backend) -> None:
    data = {"biggest": 2**64 - 1, "smallest": -(2**63), "beyond": 10**30}
    logs.append(TOPICS.timeline, "c_1/u1", entry(received=2**63 - 1, event=entry()["data"]["event"] | {"data": data}))
    copied(sink, logs.records)
    row = backend.tables()["timeline"]["c_1", "u1"]
    assert row["data"] == data
    assert row["received"] == 2**63 - 1


@pytest.mark.parametrize("at_once", [True, False])
def test_tombstones_delete(at_once: bool, sink: Sink, logs: Logs, backend: Backend) -> None:
    some_of_everything(logs)
    for topic, key in [
        (TOPICS.timeline, "c_1/u1"),
        (TOPICS.timeline, "c_9/u9"),
        (TOPICS.profiles, "c_2"),
        (TOPICS.identities, "i/1f"),
        (TOPICS.identities, "i/never"),
    ]:
        logs.append(topic, key, None)
    for part in [logs.records] if at_once else [logs.records[:9], logs.records[9:]]:
        copied(sink, part)
    tables = backend.tables()
    assert tables == fold(logs.records)
    assert (set(tables["timeline"]), set(tables["profiles"])) == ({("c_1", "u2")}, {("c_1",)})
    assert set(tables["identities"]) == {("#key",), ("c/c_2",)}


def test_what_was_deleted_can_come_again(sink: Sink, logs: Logs, backend: Backend) -> None:
    for value in (entry(), None, entry(department="service")):
        logs.append(TOPICS.timeline, "c_1/u1", value)
        copied(sink, logs.records)
    assert backend.tables()["timeline"]["c_1", "u1"]["department"] == "service"


def test_a_forgotten_customer_keeps_no_alert_not_even_one_that_is_read_later(
    sink: Sink, logs: Logs, backend: Backend
) -> None:
    tell(logs, alert("c_1"))
    tell(logs, alert("c_2", "a_2"))
    logs.append(TOPICS.profiles, "c_1", None)
    tell(logs, alert("c_1", "a_3", journal=9))
    service_last = sorted(logs.records, key=lambda record: record.topic == TOPICS.alerts["service"])
    for record in service_last:
        copied(sink, [record])
    assert set(backend.tables()["alerts"]) == {("a_2", "c_2"), ("a_3", "c_1")}
    assert backend.tables() == fold(logs.records)


def test_a_tombstone_on_an_alert_topic_forgets_that_customers_alerts(sink: Sink, logs: Logs, backend: Backend) -> None:
    tell(logs, alert("c_1"))
    logs.append(TOPICS.alerts["sales"], "c_1", None)
    copied(sink, logs.records)
    assert backend.tables()["alerts"] == {}


def test_a_merged_away_profile_stays_as_a_redirect(sink: Sink, logs: Logs, backend: Backend) -> None:
    logs.append(TOPICS.profiles, "c_2", profile("c_2", "Ada L."))
    logs.append(TOPICS.profiles, "c_2", redirect("c_2", "c_1"))
    copied(sink, logs.records)
    row = backend.tables()["profiles"][("c_2",)]
    assert (row["merged_into"], row["name"]) == ("c_1", None)


def test_the_engines_memory_in_a_profile_is_not_copied(sink: Sink, logs: Logs, backend: Backend) -> None:
    logs.append(TOPICS.profiles, "c_1", profile(state={"schema": 1, "streams": {"s": ["secret"]}}))
    copied(sink, logs.records)
    assert "state" not in backend.tables()["profiles"][("c_1",)]["document"]


@pytest.mark.parametrize("order", ["as told", "by topic", "backwards by topic"])
def test_an_alert_has_its_latest_state_whatever_the_order_of_topics(
    order: str, sink: Sink, logs: Logs, backend: Backend
) -> None:
    tell(logs, alert(journal=5))
    tell(logs, alert(state="updated", journal=7), ("service",))
    tell(logs, alert(state="resolved", journal=7))
    tell(logs, alert(alert_id="a_2", journal=8), ("sales",))
    records = logs.records
    if order != "as told":
        records = sorted(records, key=lambda record: record.topic, reverse=order.startswith("backwards"))
    for number, record in enumerate(records, start=1):
        copied(sink, [record])
        assert backend.tables() == fold(records[:number])
    row = backend.tables()["alerts"]["a_1", "c_1"]
    assert (row["state"], row["departments"]) == ("resolved", {"sales", "service"})


def test_one_alert_of_two_customers_has_two_states(sink: Sink, logs: Logs, backend: Backend) -> None:
    tell(logs, alert("c_1", journal=1))
    tell(logs, alert("c_1", state="retracted", journal=2))
    tell(logs, alert("c_2", journal=3))
    copied(sink, logs.records)
    states = {pair: row["state"] for pair, row in backend.tables()["alerts"].items()}
    assert states == {("a_1", "c_1"): "retracted", ("a_1", "c_2"): "fired"}


def test_offsets_without_records_are_passed(sink: Sink, logs: Logs) -> None:
    logs.append(TOPICS.timeline, "c_1/u1", entry())
    sink.add(logs.records)
    sink.reached({(TOPICS.timeline, 0): Reached(5, NOW_MS), (TOPICS.profiles, 0): Reached(2, NOW_MS)})
    sink.flush()
    assert sink.positions()[TOPICS.timeline, 0] == 5
    assert sink.positions()[TOPICS.profiles, 0] == 2
    sink.reached({(TOPICS.timeline, 0): Reached(3, 0)})
    sink.flush()
    assert sink.positions()[TOPICS.timeline, 0] == 5


def test_a_record_of_a_partition_that_was_not_attached_is_an_error_and_writes_nothing(
    sink: Sink, logs: Logs, backend: Backend
) -> None:
    logs.append(TOPICS.timeline, "c_1/u1", entry())
    logs.append(TOPICS.timeline, "c_2/u1", entry("c_2"), partition=7)
    sink.add(logs.records)
    with pytest.raises(KeyError):
        sink.flush()
    assert backend.tables() == fold([])


def test_attaching_again_drops_what_was_not_flushed(sink: Sink, logs: Logs, backend: Backend) -> None:
    logs.append(TOPICS.timeline, "c_1/u1", entry())
    sink.add(logs.records)
    assert sink.attach(logs.logs(), NOW_MS)[TOPICS.timeline, 0] == 0
    assert sink.flush().records == 0
    assert backend.tables() == fold([])


def test_what_attaching_dropped_is_written_once_it_is_read_again(sink: Sink, logs: Logs, backend: Backend) -> None:
    some_of_everything(logs)
    sink.add(logs.records)
    sink.attach(logs.logs(), NOW_MS)
    copied(sink, logs.records)
    assert backend.tables() == fold(logs.records)
    assert sink.positions() == logs.ends


def recreated(logs: Logs) -> None:
    logs.topic_ids[TOPICS.timeline] = "another"


def moved_to_another_cluster(logs: Logs) -> None:
    logs.cluster_id = "cluster-2"


def cut_off(logs: Logs) -> None:
    logs.ends[TOPICS.timeline, 0] -= 1


@pytest.mark.parametrize("change", [recreated, moved_to_another_cluster, cut_off])
def test_what_is_of_another_log_is_discarded_and_read_from_the_start(
    change: Callable[[Logs], None], sink: Sink, logs: Logs, backend: Backend
) -> None:
    some_of_everything(logs)
    copied(sink, logs.records)
    change(logs)
    assert sink.attach(logs.logs(), NOW_MS)[TOPICS.timeline, 0] == 0
    tables = backend.tables()
    assert tables["timeline"] == {}
    kept = {} if change is moved_to_another_cluster else fold(logs.records)["profiles"]
    assert tables["profiles"] == kept
    copied(sink, logs.records[:1])
    assert set(backend.tables()["timeline"]) == {("c_1", "u1")}


def test_after_a_pause_in_which_tombstones_may_have_gone_all_but_alerts_is_read_again(
    sink: Sink, logs: Logs, backend: Backend
) -> None:
    some_of_everything(logs)
    copied(sink, logs.records)
    logs.append(TOPICS.timeline, "c_1/u3", entry("c_1", "u3"))
    logs.skip(TOPICS.alerts["sales"])
    late = NOW_MS + MAX_PAUSE_MS + 1
    offsets = sink.attach(logs.logs(), late)
    assert offsets[TOPICS.timeline, 0] == 0
    assert offsets[TOPICS.profiles, 0] == 2, "nothing new there, so nothing was missed"
    assert offsets[TOPICS.alerts["sales"], 0] == 1
    assert backend.tables()["timeline"] == {}
    copied(sink, logs.records)
    assert sink.attach(logs.logs(), late + MAX_PAUSE_MS)[TOPICS.timeline, 0] == 3, "read again just now"


def test_the_time_up_to_which_all_was_seen_counts_not_that_of_the_last_record(sink: Sink, logs: Logs) -> None:
    logs.append(TOPICS.timeline, "c_1/u1", entry())
    sink.add(logs.records)
    sink.reached({(TOPICS.timeline, 0): Reached(1, NOW_MS + MAX_PAUSE_MS)})
    sink.flush()
    logs.append(TOPICS.timeline, "c_1/u2", entry("c_1", "u2"))
    assert sink.attach(logs.logs(), NOW_MS + 2 * MAX_PAUSE_MS)[TOPICS.timeline, 0] == 1


def test_records_deleted_before_they_were_read_are_passed_over_and_the_rest_kept(
    sink: Sink, logs: Logs, backend: Backend
) -> None:
    logs.append(TOPICS.alerts["sales"], "c_1", alert())
    copied(sink, logs.records)
    logs.skip(TOPICS.alerts["sales"], offsets=9)
    cut = {partition: log for partition, log in logs.logs().items() if partition[0] == TOPICS.alerts["sales"]}
    (partition, log) = cut.popitem()
    offsets = sink.attach({partition: type(log)(log.cluster_id, log.topic_id, 8, log.end)}, NOW_MS)
    assert offsets == {partition: 8}
    assert set(backend.tables()["alerts"]) == {("a_1", "c_1")}


# What may be written to the topics: a few customers and events, so that they meet.
CUSTOMERS = st.sampled_from(["c_1", "c_2"])
SAYINGS = st.one_of(
    st.tuples(st.just("entry"), CUSTOMERS, st.sampled_from(["u1", "u2"]), st.sampled_from(["sales", "service"])),
    st.tuples(st.just("no entry"), CUSTOMERS, st.sampled_from(["u1", "u2"]), st.none()),
    st.tuples(st.just("profile"), CUSTOMERS, st.sampled_from(["Ada", "Ben", None]), st.none()),
    st.tuples(st.just("no profile"), CUSTOMERS, st.none(), st.none()),
    st.tuples(st.just("redirect"), CUSTOMERS, CUSTOMERS, st.none()),
    st.tuples(st.just("identity"), CUSTOMERS, st.sampled_from(["i/1", "i/2"]), st.none()),
    st.tuples(st.just("no identity"), CUSTOMERS, st.sampled_from(["i/1", "i/2"]), st.none()),
    st.tuples(
        st.just("alert"), CUSTOMERS, st.sampled_from(["a_1", "a_2"]), st.sampled_from(["fired", "updated", "retracted"])
    ),
    st.tuples(st.just("poison"), CUSTOMERS, st.none(), st.none()),
    st.tuples(st.just("hole"), CUSTOMERS, st.none(), st.none()),
)
# What may happen to the sink meanwhile; numbers choose a partition and how many records.
STEPS = st.one_of(
    st.tuples(st.just("read"), st.integers(0, 9), st.integers(1, 6)),
    st.tuples(st.just("flush"), st.just(0), st.just(0)),
    st.tuples(st.just("again"), st.integers(0, 9), st.integers(1, 6)),
    st.tuples(st.just("crash"), st.just(0), st.just(0)),
    st.tuples(st.just("locked"), st.just(0), st.just(0)),
)


def said(sayings: Sequence[tuple[str, str, Any, Any]]) -> Logs:
    logs = Logs()
    for journal, (what, customer, one, other) in enumerate(sayings):
        partition = int(customer[-1]) % 2
        if what == "entry":
            message = entry(customer, one, department=other, at=journal)
            logs.append(TOPICS.timeline, f"{customer}/{one}", message, partition=partition)
        elif what == "no entry":
            logs.append(TOPICS.timeline, f"{customer}/{one}", None, partition=partition)
        elif what == "profile":
            logs.append(TOPICS.profiles, customer, profile(customer, one), partition=partition)
        elif what == "no profile":
            logs.append(TOPICS.profiles, customer, None, partition=partition)
        elif what == "redirect":
            logs.append(TOPICS.profiles, customer, redirect(customer, one), partition=partition)
        elif what == "identity":
            logs.append(TOPICS.identities, one, {"id": customer, "type": "email"})
        elif what == "no identity":
            logs.append(TOPICS.identities, one, None)
        elif what == "alert":
            tell(logs, alert(customer, one, other, journal=journal))
        elif what == "poison":
            logs.append(TOPICS.timeline, f"{customer}/u1", b"\xff", partition=partition)
        else:
            logs.skip(TOPICS.profiles, partition=partition)
    return logs


class Reader:
    """Reads logs like a consumer: forwards, from where it is told."""

    def __init__(self, logs: Logs) -> None:
        self.partitions = sorted(logs.logs())
        self._records = logs.records
        self.next: dict[tuple[str, int], int] = {}

    def read(self, which: int, count: int, *, back: int = 0) -> list[Record]:
        """Up to ``count`` records of a partition; ``back`` offsets before its place, which then stays."""
        partition = self.partitions[which % len(self.partitions)]
        start = max(0, self.next[partition] - back)
        found = [r for r in self._records if (r.topic, r.partition) == partition and r.offset >= start][:count]
        if found and not back:
            self.next[partition] = found[-1].offset + 1
        return found


@pytest.mark.parametrize("name", sorted(BACKENDS))
@given(sayings=st.lists(SAYINGS, max_size=25), steps=st.lists(STEPS, max_size=25))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_it_is_cut_repeated_and_interrupted_the_database_is_the_fold_of_the_logs_before_its_offsets(
    name: str,
    sayings: list[tuple[str, str, Any, Any]],
    steps: list[tuple[str, int, int]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    backend = BACKENDS[name](tmp_path_factory.mktemp("log"))
    logs = said(sayings)
    reader = Reader(logs)
    sink = backend.open()
    reader.next = sink.attach(logs.logs(), NOW_MS)

    def is_the_fold() -> None:
        offsets = sink.positions()
        before = [record for record in logs.records if record.offset < offsets[record.topic, record.partition]]
        assert backend.tables() == fold(before)

    for what, which, count in steps:
        if what == "read":
            sink.add(reader.read(which, count))
        elif what == "again":
            sink.add(reader.read(which, count, back=count))
        elif what == "flush":
            sink.flush()
            is_the_fold()
        elif what == "locked":
            with backend.locked(), pytest.raises(SinkUnavailable):
                sink.flush()
        else:
            sink.close()
            sink = backend.open()
            reader.next = sink.attach(logs.logs(), NOW_MS)
            is_the_fold()
    for which in range(len(reader.partitions)):
        sink.add(reader.read(which, len(logs.records)))
    sink.flush()
    assert backend.tables() == fold(logs.records)
    sink.close()


@pytest.mark.parametrize("name", sorted(BACKENDS))
@given(
    sayings=st.lists(
        st.tuples(
            st.sampled_from(["fired", "updated", "resolved", "forgotten", "forgotten by sales"]),
            st.sampled_from([("sales",), ("service",), ("sales", "service")]),
            st.booleans(),
        ),
        max_size=12,
    ),
    turns=st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=30, max_size=30),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_topics_are_read_alerts_are_the_fold_of_what_was_read(
    name: str,
    sayings: list[tuple[str, tuple[str, ...], bool]],
    turns: list[tuple[int, bool]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    logs = Logs()
    for journal, (what, departments, at_once) in enumerate(sayings):
        logs.tick_ms = 0 if at_once else 1000
        if what == "forgotten":
            logs.append(TOPICS.profiles, "c_1", None)
        elif what == "forgotten by sales":
            logs.append(TOPICS.alerts["sales"], "c_1", None)
        else:
            tell(logs, alert("c_1", state=what, journal=journal // 2), departments)
    backend = BACKENDS[name](tmp_path_factory.mktemp("alerts"))
    sink = backend.open()
    sink.attach(logs.logs(), NOW_MS)
    left = {
        topic: [record for record in logs.records if record.topic == topic]
        for topic in (TOPICS.profiles, *TOPICS.alerts.values())
    }
    read: list[Record] = []
    for which, flush in turns:
        waiting = left[sorted(left)[which]]
        if not waiting:
            continue
        read.append(waiting.pop(0))
        sink.add(read[-1:])
        if flush:
            sink.flush()
            assert backend.tables() == fold(read)
    sink.close()
