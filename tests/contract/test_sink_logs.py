"""How far a sink has read, and of which log: offsets, attaching, logs that were made anew or cut, and random ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.kafka.copies import MAX_PAUSE_MS, Reached
from engine.kafka.record import Record
from sinks.base import Sink, SinkUnavailable
from tests.unit.sinks.backends import BACKENDS, Backend
from tests.unit.sinks.messages import TOPICS, Logs, alert, entry, profile, redirect, tell
from tests.unit.sinks.plain import fold

from .sink_bench import NOW_MS, copied, some_of_everything


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
