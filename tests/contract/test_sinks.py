"""What every sink promises, checked on every database: a flush writes all or nothing, and rows are as last written.

The measure is ``plain.fold``: whatever happens, a database equals the fold of the records before its offsets.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from pathlib import Path
from typing import Any

import pytest

from schemas.outputs import OUTPUTS
from sinks.base import Sink, SinkUnavailable
from tests.unit.sinks.backends import BACKENDS, Backend
from tests.unit.sinks.messages import TOPICS, Logs, alert, entry, profile, redirect, tell
from tests.unit.sinks.plain import fold
from tests.unit.sinks.writing import busy_logs, write

from .sink_bench import NOW_MS, copied, some_of_everything


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
