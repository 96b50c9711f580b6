"""The catalogue of topics, which needs no Kafka."""

from __future__ import annotations

import pytest

from agents.topic_admin import PartitionsDiffer, TopicStatus, copies
from schemas.alerted import ALERTED
from schemas.topics import (
    DEAD,
    IDENTITIES,
    JOURNAL,
    LINKS,
    NOTIFIED,
    PROFILES,
    PROGRESS,
    TIMELINE,
    Topic,
    alerts_topic,
    catalogue,
    events_topic,
)

DEPARTMENTS = ("sales", "service", "marketing", "finance", "web", "social")
DAY = 86_400_000


def by_name(partitions: int = 4, replication: int = 1) -> dict[str, Topic]:
    return {topic.name: topic for topic in catalogue(DEPARTMENTS, partitions, replication, ALERTED)}


def test_the_catalogue_is_that_of_the_decisions() -> None:
    assert set(by_name()) == {
        *("cx.sales.events.v1", "cx.service.events.v1", "cx.marketing.events.v1"),
        *("cx.finance.events.v1", "cx.web.events.v1", "cx.social.events.v1"),
        *("cx.links.v1", "cx.identities.v1", "cx.journal.v1", "cx.timeline.v1", "cx.profiles.v1", "cx.dead.v1"),
        *("cx.notified.v1", "cx.progress.v1"),
        *("cx.alerts.sales.v1", "cx.alerts.service.v1", "cx.alerts.marketing.v1"),
        *("cx.alerts.finance.v1", "cx.alerts.ops.v1"),
    }


def test_links_identities_and_dead_letters_have_one_partition_progress_one_more_and_all_else_p() -> None:
    single = {name for name, topic in by_name(partitions=12).items() if topic.partitions == 1}
    assert single == {LINKS, IDENTITIES, DEAD}
    assert {name for name, topic in by_name(partitions=12).items() if topic.partitions == 13} == {PROGRESS}
    assert {topic.partitions for topic in by_name(partitions=12).values()} == {1, 12, 13}


def test_what_says_how_things_stand_is_compacted_and_all_else_is_deleted_after_21_days() -> None:
    topics = by_name()
    compacted = {name for name, topic in topics.items() if topic.config["cleanup.policy"] == "compact"}
    assert compacted == {IDENTITIES, TIMELINE, PROFILES, NOTIFIED, PROGRESS}
    for name, topic in topics.items():
        assert topic.config.get("retention.ms") == (None if name in compacted else str(21 * DAY))


def test_what_is_compacted_is_so_within_days_and_keeps_tombstones_for_30() -> None:
    config = by_name()[TIMELINE].config
    assert config["segment.ms"] == str(DAY)
    assert config["max.compaction.lag.ms"] == str(DAY)
    assert config["delete.retention.ms"] == str(30 * DAY)


def test_every_topic_has_the_time_of_the_broker() -> None:
    assert {topic.config["message.timestamp.type"] for topic in by_name().values()} == {"LogAppendTime"}


def test_department_topics_take_1_mib_and_all_others_2() -> None:
    large = {name for name, topic in by_name().items() if topic.config["max.message.bytes"] == str(2 * 1024 * 1024)}
    small = {name for name, topic in by_name().items() if topic.config["max.message.bytes"] == str(1024 * 1024)}
    assert small == {events_topic(department) for department in DEPARTMENTS}
    assert large == set(by_name()) - small


def test_a_broker_that_is_away_counts_as_long_as_topics_name_it() -> None:
    assert 1 == copies([0], [])
    assert 3 == copies([0, 1], [[0, 1, 2], [1, 2, 0]])
    assert 3 == copies([0, 1, 2, 3], [[0, 1, 2]])


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_with_three_copies_two_must_be_in_sync(replication: int, in_sync: str) -> None:
    topics = by_name(replication=replication).values()
    assert {topic.replication for topic in topics} == {replication}
    assert {topic.config["min.insync.replicas"] for topic in topics} == {in_sync}


def test_a_new_department_is_one_more_name() -> None:
    more = catalogue([*DEPARTMENTS, "hr"], 4, 1, alerted=("sales", "hr"))
    names = {topic.name for topic in more}
    assert {events_topic("hr"), alerts_topic("hr"), JOURNAL} <= names
    assert alerts_topic("ops") not in names


def test_records_are_counted_over_all_partitions() -> None:
    standing = TopicStatus(by_name()[JOURNAL], True, 3, (), ((0, 5), (2, 4), (0, 0)))
    assert standing.records == 7


def test_other_partitions_are_an_error_that_says_what_to_do() -> None:
    assert str(PartitionsDiffer(JOURNAL, there=4, wanted=8)) == (
        "cx.journal.v1 has 4 partitions, but 8 are wanted. The number is fixed once a topic exists: "
        "set CXBUS_PARTITIONS to what the topics have, or use another cluster."
    )
