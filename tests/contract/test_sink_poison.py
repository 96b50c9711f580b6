"""What no sink can read, or the bus did not write, is counted, changes nothing and stops nothing; on every database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks.base import Sink
from tests.unit.sinks.backends import BACKENDS, Backend
from tests.unit.sinks.messages import TOPICS, Logs, alert, cloudevent, entry, profile, tell
from tests.unit.sinks.plain import fold

from .sink_bench import NOW_MS, copied, some_of_everything

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
