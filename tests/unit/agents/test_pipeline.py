"""The bus without Kafka does what a worker does, and says what can't be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest

from agents.journey import Journey
from agents.pipeline import Input, Pipeline, PipelineConfig, StageName, UnknownPlace
from agents.stages import topology
from agents.topology import Process
from engine.kafka.mark import MARK
from engine.kafka.record import KafkaRecord, Record
from engine.transactional.transaction import Output
from schemas.codec import Codec
from schemas.topics import (
    DEAD,
    IDENTITIES,
    JOURNAL,
    LINKS,
    PROFILES,
    TIMELINE,
    alerts_topic,
    events_topic,
    partition_of,
)

CONFIG = replace(PipelineConfig.of(), partitions=2)
NOW = 1_795_000_000_000  # 2026-11-18T11:06:40Z
MARKETING = alerts_topic("marketing")


@pytest.fixture
def bus() -> Iterator[Pipeline]:
    with Pipeline(CONFIG) as made:
        yield made


def test_it_has_every_stage_of_a_worker_and_intakes_directory() -> None:
    stages = {one.name for one in topology(CONFIG.registry, "cxbus", CONFIG.partitions).of(Process.WORKER)}
    assert stages | {"directory"} == set(get_args(StageName))


def event(kind: str, minute: int, email: str = "ada@example.com", **data: Any) -> bytes:
    customer = {"identifiers": [{"type": "email", "value": email}]}
    time = f"2026-11-18T10:{minute:02}:00Z"
    about = {"customer": customer, **data}
    return Codec.encode_structured(type=kind, source="/test", id=f"{email}/{minute}", time=time, data=about)


def complaint(minute: int = 0, email: str = "ada@example.com") -> bytes:
    return event("service.case.opened.v1", minute, email, caseId=f"K{minute}", category="complaint", priority="high")


def campaign(minute: int = 1, email: str = "ada@example.com") -> bytes:
    return event("marketing.campaign.sent.v1", minute, email, campaignId=f"S{minute}", channel="email")


def written(bus: Pipeline) -> dict[tuple[str, int], list[Record]]:
    """All but what departments published and the profiles, which depend on where units of work are cut."""
    return {place: log for place, log in bus.logs.items() if place[0] != PROFILES}


# --- records --------------------------------------------------------------------------------------------------------


def test_an_event_comes_out_as_a_customer_an_entry_a_profile_and_alerts(bus: Pipeline) -> None:
    bus.publish("service", complaint(), NOW, key=b"K", partition=1)
    bus.run()
    bus.publish("marketing", campaign(), NOW + 1)
    records = bus.run()
    (linked,) = bus.records(LINKS)
    first, second = bus.records(JOURNAL)
    assert complaint() == linked.value == first.value
    customer = first.key.decode()
    home = partition_of(customer, 2)
    assert f"c/{customer}".encode() in bus.latest(IDENTITIES)
    assert [second.topic, TIMELINE, *sorted([MARKETING, alerts_topic("service")]), PROFILES] == [
        one.topic for one in records
    ]
    assert [home] * 5 == [one.partition for one in records]
    assert [customer.encode()] * 3 == [one.key for one in records[2:]]
    assert records[1].key.startswith(customer.encode() + b"/")
    (alert,) = bus.log(MARKETING, home)
    assert (0, NOW + 1, "campaign-during-complaint") == (
        alert.offset,
        alert.timestamp,
        orjson.loads(alert.value)["data"]["rule"],
    )
    assert all(MARK in one.headers for one in records)
    assert () == bus.log(events_topic("service"), 1)[0].headers


def test_what_departments_published_is_taken_in_the_order_of_the_brokers_time(bus: Pipeline) -> None:
    bus.publish("marketing", campaign(2), NOW + 2)
    bus.publish("service", complaint(3), NOW + 3)
    bus.publish("service", complaint(1), NOW + 1, partition=1)
    bus.run()
    assert [complaint(1), campaign(2), complaint(3)] == [one.value for one in bus.records(LINKS)]


def test_what_is_written_at_no_time_of_its_own_is_written_at_the_latest_that_was_said(bus: Pipeline) -> None:
    bus.publish("service", complaint(), NOW + 5)
    bus.publish("service", complaint(1), NOW)
    assert {NOW + 5} == {one.timestamp for one in bus.run()}


@pytest.mark.parametrize(
    ("topic", "partition", "said"),
    [
        ("cx.nobody.events.v1", 0, "is not a topic of this bus"),
        (alerts_topic("web"), 0, "is not a topic of this bus"),
        (JOURNAL, 2, "partitions from 0 to 1"),
        (JOURNAL, -1, "partitions from 0 to 1"),
        (LINKS, 1, "partitions from 0 to 0"),
    ],
)
def test_a_place_that_no_topic_has_is_refused(bus: Pipeline, topic: str, partition: int, said: str) -> None:
    with pytest.raises(UnknownPlace, match=said):
        bus.write([Output(topic, partition, None, b"", ())], NOW)
    with pytest.raises(UnknownPlace, match=said):
        bus.log(topic, partition)
    assert {} == bus.logs


def test_a_department_that_nobody_knows_cannot_publish(bus: Pipeline) -> None:
    with pytest.raises(UnknownPlace, match=r"cx\.nobody\.events\.v1"):
        bus.publish("nobody", complaint(), NOW)


def test_what_cannot_be_used_is_a_dead_letter_and_keeps_its_headers(bus: Pipeline) -> None:
    bus.publish("service", None, NOW, headers=[("trace", b"1")])
    (letter,) = bus.run()
    assert (DEAD, 0, None) == (letter.topic, letter.partition, letter.value)
    assert [("trace", b"1")] == [one for one in letter.headers if one[0] == "trace"]
    assert MARK not in letter.headers


def test_what_others_write_on_the_journal_is_passed_over_and_told(bus: Pipeline) -> None:
    bus.write([Output(JOURNAL, 0, b"c_1", complaint(), marked=False)], NOW)
    (letter,) = bus.run()
    assert (DEAD, b"foreign-record") == (letter.topic, dict(letter.headers)["__cxbus.errors.exception"])


def test_compaction_leaves_the_last_record_of_a_key_and_no_tombstone(bus: Pipeline) -> None:
    for at, key, value in ((3, b"a", b"1"), (3, b"b", b"1"), (0, b"a", b"2"), (0, b"b", None)):
        bus.write([Output(IDENTITIES, 0, key, value)], NOW + at)  # the next broker's clock is behind
    assert {b"a": b"2"} == {key: record.value for key, record in bus.latest(IDENTITIES).items()}


def test_a_temporary_store_goes_with_the_pipeline_and_one_of_ones_own_stays(tmp_path: Path) -> None:
    with Pipeline(CONFIG) as bus:
        bus.publish("service", complaint(), NOW)
        bus.run()
        home = bus._home
        assert home.exists()
    assert not home.exists()
    with Pipeline(CONFIG, tmp_path) as bus:
        bus.publish("service", complaint(), NOW)
        bus.run()
    assert {"directory", "journey", "resolver"} == {path.name.partition("-")[0] for path in tmp_path.iterdir()}


# --- units of work --------------------------------------------------------------------------------------------------


def played(bus: Pipeline, most: int | None = None) -> Pipeline:
    """Two people, of whom one turns out to be a third; what came late, twice and wrong."""
    for minute, (department, value) in enumerate(
        [
            ("service", complaint(1)),
            ("service", complaint(2, "bob@example.com")),
            ("marketing", campaign(3)),
            ("marketing", campaign(3)),
            ("web", b"no event"),
            ("marketing", campaign(5, "bob@example.com")),
        ]
    ):
        bus.publish(department, value, NOW + minute)
    bus.run(most)
    both = {"identifiers": [{"type": "email", "value": name} for name in ("ada@example.com", "bob@example.com")]}
    bus.publish("service", event("service.case.opened.v1", 6, customer=both, **CASE), NOW + 10)
    bus.publish("marketing", campaign(0), NOW + 11)
    bus.run(most)
    return bus


CASE = {"caseId": "K6", "category": "question", "priority": "low"}


def test_nothing_is_left_unread_and_units_may_be_cut_anywhere(bus: Pipeline) -> None:
    assert [] == played(bus).behind()
    with Pipeline(CONFIG) as other:
        assert written(bus).keys() == written(played(other, 1)).keys()
        for topic in (IDENTITIES, TIMELINE):
            assert [*bus.latest(topic)] == [*other.latest(topic)]
        values = [{key: one.value for key, one in bus.latest(TIMELINE).items()} for bus in (bus, other)]
        assert values[0] == values[1]


def test_behind_says_who_has_something_to_read_and_position_how_far_it_is(bus: Pipeline) -> None:
    for minute in range(3):
        bus.publish("service", complaint(minute), NOW, partition=1)
    place = Input("intake", events_topic("service"), 1)
    assert [place] == bus.behind()
    outputs = bus.take(place, 2)
    assert [2, 2, [place]] == [len(outputs), bus.position(place), bus.behind()]
    bus.write(outputs)
    assert [place, Input("resolver", LINKS, 0)] == bus.behind()
    assert [] == bus.take(Input("journey", JOURNAL, 0))


def test_a_unit_that_is_not_committed_comes_again_as_it_was(bus: Pipeline) -> None:
    bus.publish("service", complaint(), NOW)
    place = Input("intake", events_topic("service"), 0)
    bus.write(bus.take(place, committed=False))
    bus.write(bus.take(place))
    resolver = Input("resolver", LINKS, 0)
    first = bus.take(resolver, committed=False)
    assert first == bus.take(resolver)
    bus.write(first)
    journey = bus.behind()[-1]
    aborted = bus.take(journey, committed=False)
    bus.restart("journey", journey.partition, keep_store=True)
    assert aborted == bus.take(journey)
    assert [TIMELINE, PROFILES] == [one.topic for one in aborted], "what intake sent twice is one entry"


# --- owners ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep_store", [False, True])
def test_after_a_restart_of_everybody_all_is_written_as_without_to_a_byte(bus: Pipeline, keep_store: bool) -> None:
    with Pipeline(CONFIG) as other:
        for one in (bus, other):
            one.publish("service", complaint(7), NOW - 2)
            one.publish("marketing", campaign(8), NOW - 1)
            one.run()
        assert [[], [], []] == [
            other.restart("resolver", keep_store=keep_store),
            *(other.restart("journey", partition, keep_store=keep_store) for partition in range(2)),
        ]
        assert played(bus).logs == played(other).logs


def test_an_owner_with_the_store_reads_what_came_since_it_was_stored(
    bus: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.publish("service", complaint(), NOW)
    bus.run()
    bus.publish("service", complaint(1), NOW)
    bus.run()
    (home,) = {record.partition for record in bus.records(JOURNAL)}
    read: list[str] = []
    restore = Journey.restore

    def seen(self: Journey, records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
        read.extend(one.topic for one in records)
        return restore(self, records)

    monkeypatch.setattr(Journey, "restore", seen)
    bus.restart("journey", home, keep_store=True)
    assert [TIMELINE, PROFILES] == read, "a mark is never ahead: the last unit is read again"
    read.clear()
    bus.restart("journey", home)
    assert [TIMELINE] * 2 + [PROFILES] * 2 == read


def test_a_restart_says_which_records_are_not_the_buss(bus: Pipeline) -> None:
    bus.write([Output(IDENTITIES, 0, b"i/1", b"{}", marked=False), Output(IDENTITIES, 0, b"?", b"{}")], NOW)
    assert {(0, b"i/1"), (1, b"?")} == {(one.offset, one.key) for one in bus.restart("resolver")}
