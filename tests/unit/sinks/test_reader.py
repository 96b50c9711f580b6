"""What people find in the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import instant
from sinks.base import Sink
from sinks.sql.answers import Counts
from sinks.sql.reader import Reader
from sinks.sql.sqlite import open_sink
from sinks.sql.sqlite_file import open_reader

from .messages import START_MS, TOPICS, Logs, alert, entry, profile, redirect, tell


@pytest.fixture
def logs() -> Logs:
    return Logs()


@pytest.fixture
def sink(tmp_path: Path, logs: Logs) -> Iterator[Sink]:
    sink = open_sink(tmp_path / "cxbus.db", TOPICS)
    sink.attach(logs.logs(), START_MS)
    yield sink
    sink.close()


@pytest.fixture
def reader(tmp_path: Path, sink: Sink) -> Iterator[Reader]:
    del sink  # it made the tables
    reader = open_reader(tmp_path / "cxbus.db")
    yield reader
    reader.close()


def copied(sink: Sink, logs: Logs) -> None:
    sink.add(logs.records)
    sink.flush()


def test_a_customer_is_found_by_every_id_that_he_ever_had(sink: Sink, logs: Logs, reader: Reader) -> None:
    logs.append(TOPICS.profiles, "c_1", profile("c_1"))
    logs.append(TOPICS.profiles, "c_2", redirect("c_2", "c_1"))
    logs.append(TOPICS.profiles, "c_3", redirect("c_3", "c_2"))
    logs.append(TOPICS.identities, "c/c_4", {"born": 7, "mergedInto": "c_3", "version": 8})
    copied(sink, logs)
    for known_as in ("c_1", "c_2", "c_3", "c_4"):
        found = reader.customer(known_as)
        assert found is not None
        assert (found.customer_id, found.name, found.tier) == ("c_1", "Ada Lovelace", "key")
        assert found.document["identifiers"] == [{"type": "email", "value": "a…@example.com"}]
    assert reader.customer("c_5") is None


def test_redirects_in_a_ring_end(sink: Sink, logs: Logs, reader: Reader) -> None:
    logs.append(TOPICS.profiles, "c_1", redirect("c_1", "c_2"))
    logs.append(TOPICS.profiles, "c_2", redirect("c_2", "c_1"))
    logs.append(TOPICS.profiles, "c_3", redirect("c_3", "c_3"))
    copied(sink, logs)
    assert reader.timeline("c_1") == []
    assert reader.timeline("c_3") == []


def test_a_customer_is_found_by_the_hash_of_an_identifier(sink: Sink, logs: Logs, reader: Reader) -> None:
    logs.append(TOPICS.identities, "i/1f", {"id": "c_2", "type": "email"})
    logs.append(TOPICS.profiles, "c_2", redirect("c_2", "c_1"))
    logs.append(TOPICS.profiles, "c_1", profile("c_1"))
    copied(sink, logs)
    found = reader.customer_of("i/1f")
    assert found is not None
    assert found.customer_id == "c_1"
    assert reader.customer_of("i/2e") is None


@pytest.mark.parametrize("part", ["ada", "LOVE", "a l", "ADA LOVELACE"])
def test_a_part_of_the_name_in_any_case_finds_a_customer(part: str, sink: Sink, logs: Logs, reader: Reader) -> None:
    logs.append(TOPICS.profiles, "c_1", profile("c_1", "Ada Lovelace"))
    logs.append(TOPICS.profiles, "c_2", profile("c_2", "Ben"))
    logs.append(TOPICS.profiles, "c_3", profile("c_3", None))
    copied(sink, logs)
    assert [customer.customer_id for customer in reader.search(part)] == ["c_1"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Zoë Straße", "STRASSE"),
        ("Zoe\u0308", "zoë"),
        ("Ğüneş İLK", "gunes ilk"),
        ("100% _real_", "0% _r"),
        ("田中", "中"),
    ],
)
def test_names_of_all_scripts_and_signs_are_found(name: str, part: str, sink: Sink, logs: Logs, reader: Reader) -> None:
    logs.append(TOPICS.profiles, "c_1", profile("c_1", name))
    logs.append(TOPICS.profiles, "c_2", profile("c_2", "100 xreals and others"))
    copied(sink, logs)
    assert [customer.customer_id for customer in reader.search(part)] == ["c_1"]


def test_a_customer_is_found_once_by_the_name_that_an_alert_was_told_under(
    sink: Sink, logs: Logs, reader: Reader
) -> None:
    logs.append(TOPICS.profiles, "c_1", profile("c_1", "Ada King"))
    logs.append(TOPICS.profiles, "c_2", redirect("c_2", "c_1"))
    tell(logs, alert("c_1"))
    tell(logs, alert("c_2"))
    tell(logs, alert("c_9"))
    copied(sink, logs)
    assert [customer.name for customer in reader.search("lovelace")] == ["Ada King"]
    assert [customer.name for customer in reader.search("a")] == ["Ada King"]


def test_a_search_ends_at_its_limit_in_the_order_of_names(sink: Sink, logs: Logs, reader: Reader) -> None:
    for number in (3, 1, 2):
        logs.append(TOPICS.profiles, f"c_{number}", profile(f"c_{number}", f"Name {number}"))
    copied(sink, logs)
    assert [customer.name for customer in reader.search("name", limit=2)] == ["Name 1", "Name 2"]


def test_a_timeline_comes_latest_first_and_page_by_page(sink: Sink, logs: Logs, reader: Reader) -> None:
    for uid, at in [("u1", 10), ("u2", 30), ("u3", 20), ("u4", 20), ("u5", 5)]:
        logs.append(TOPICS.timeline, f"c_1/{uid}", entry("c_1", uid, at=at))
    logs.append(TOPICS.timeline, "c_2/u9", entry("c_2", "u9", at=25))
    logs.append(TOPICS.profiles, "c_3", redirect("c_3", "c_1"))
    copied(sink, logs)
    first = reader.timeline("c_3", limit=2)
    second = reader.timeline("c_3", limit=2, before=first[-1].cursor)
    third = reader.timeline("c_3", limit=2, before=second[-1].cursor)
    assert [[e.uid for e in page] for page in (first, second, third)] == [["u2", "u4"], ["u3", "u1"], ["u5"]]
    assert reader.timeline("c_1", before=third[-1].cursor) == []


def test_an_entry_is_whole(sink: Sink, logs: Logs, reader: Reader) -> None:
    logs.append(TOPICS.timeline, "c_1/u1", entry("c_1", "u1", at=10, late=True))
    copied(sink, logs)
    (found,) = reader.timeline("c_1")
    assert (found.customer_id, found.uid, found.department) == ("c_1", "u1", "sales")
    assert (found.type, found.source, found.event_id) == ("sales.order.completed.v1", "/shop", "order-u1")
    assert (found.at, found.received, found.time) == (10, 1_000_010, "2026-05-28T20:26:40Z")
    assert (found.late, found.moved) == (True, False)
    assert found.data == {"orderId": "u1", "total": "12.50", "currency": "EUR"}
    assert found.identifiers == [{"type": "email", "value": "ada@example.com"}]


def test_an_alert_is_whole(sink: Sink, logs: Logs, reader: Reader) -> None:
    message = alert("c_1", endedAt="2026-05-29T00:00:00Z", muted=True)
    tell(logs, message, ("service", "sales"))
    copied(sink, logs)
    (found,) = reader.alerts()
    told = message["data"]
    assert (found.alert_id, found.customer_id, found.rule, found.rule_version) == (
        "a_1",
        "c_1",
        "campaign-during-complaint",
        1,
    )
    assert (found.instance_key, found.severity, found.state) == ("S1", "warning", "fired")
    assert (found.reason, found.action, found.evidence) == (told["reason"], told["action"], told["evidence"])
    assert (found.customer, found.historical, found.muted) == (told["customer"], False, True)
    assert instant.render(found.time) == "2026-05-28T20:26:40Z"
    assert found.expires_at == instant.parse(told["expiresAt"])
    assert found.ended_at == instant.parse(told["endedAt"])
    assert (found.source, found.message_id) == ("/cxbus", "a_1/c_1/fired/0-1")
    assert found.departments == ("sales", "service")


def test_alerts_are_found_by_customer_department_state_and_id(sink: Sink, logs: Logs, reader: Reader) -> None:
    logs.append(TOPICS.profiles, "c_3", redirect("c_3", "c_1"))
    tell(logs, alert("c_1", "a_1", time="2026-05-01T00:00:00Z"))
    tell(logs, alert("c_1", "a_2", "resolved", time="2026-05-02T00:00:00Z"), ("service",))
    tell(logs, alert("c_2", "a_1", "retracted", time="2026-05-03T00:00:00Z"), ("sales",))
    copied(sink, logs)

    def pairs(**conditions: object) -> list[tuple[str, str]]:
        return [(found.alert_id, found.customer_id) for found in reader.alerts(**conditions)]  # type: ignore[arg-type]  # one of many

    assert pairs() == [("a_1", "c_2"), ("a_2", "c_1"), ("a_1", "c_1")]
    assert pairs(customer_id="c_3") == [("a_2", "c_1"), ("a_1", "c_1")]
    assert pairs(department="service") == [("a_2", "c_1"), ("a_1", "c_1")]
    assert pairs(department="service", states=["fired"]) == [("a_1", "c_1")]
    assert pairs(department="legal") == []
    assert pairs(states=["resolved", "retracted"]) == [("a_1", "c_2"), ("a_2", "c_1")]
    assert pairs(states=[]) == []
    assert pairs(alert_id="a_1") == [("a_1", "c_2"), ("a_1", "c_1")]
    first = reader.alerts(limit=2)
    assert [found.alert_id for found in reader.alerts(before=first[-1].cursor)] == ["a_1"]


def test_counts_tell_how_much_there_is(sink: Sink, logs: Logs, reader: Reader) -> None:
    logs.append(TOPICS.timeline, "c_1/u1", entry("c_1", "u1"))
    logs.append(TOPICS.profiles, "c_1", profile("c_1"))
    logs.append(TOPICS.profiles, "c_2", redirect("c_2", "c_1"))
    logs.append(TOPICS.identities, "#key", {"fingerprint": "f"})
    logs.append(TOPICS.identities, "i/1", {"id": "c_1", "type": "email"})
    logs.append(TOPICS.identities, "c/c_1", {"born": 1})
    tell(logs, alert("c_1", "a_1"))
    tell(logs, alert("c_1", "a_2", "resolved"))
    tell(logs, alert("c_1", "a_3"))
    copied(sink, logs)
    assert reader.counts() == Counts(
        customers=1, merged=1, entries=1, identifiers=1, alerts={"fired": 2, "resolved": 1}
    )
