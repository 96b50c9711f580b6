"""Making a real cluster have the bus's topics, and looking at them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from agents.topic_admin import ClusterAway, PartitionsDiffer, TopicChange, TopicRefused, apply, list_topics, replication
from schemas.alerted import ALERTED
from schemas.topics import Topic, catalogue

pytestmark = pytest.mark.kafka


@pytest.fixture
def two() -> tuple[Topic, Topic]:
    """Two topics that no other test knows."""
    prefix = uuid.uuid4().hex[:8]
    return Topic(f"{prefix}.a", 2, 1, "delete", 1_000_000), Topic(f"{prefix}.b", 1, 1, "compact", 2_000_000)


@contextmanager
def admin_of(bootstrap: str) -> Iterator[Any]:
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        yield admin


def test_topics_are_created_as_wanted(bootstrap: str, two: tuple[Topic, Topic]) -> None:
    changes = apply(bootstrap, two)
    assert [str(change) for change in changes] == [
        f"{two[0].name} created with 2 partitions",
        f"{two[1].name} created with 1 partition",
    ]
    assert [standing.differences for standing in list_topics(bootstrap, two)] == [(), ()]


def test_a_second_apply_changes_nothing(bootstrap: str, two: tuple[Topic, Topic]) -> None:
    apply(bootstrap, two)
    assert apply(bootstrap, two) == []


def test_what_is_missing_is_added(bootstrap: str, two: tuple[Topic, Topic]) -> None:
    apply(bootstrap, two[:1])
    assert apply(bootstrap, two) == [TopicChange(two[1].name, "created", "created with 1 partition")]


def test_two_at_once_create_each_topic_once(bootstrap: str, two: tuple[Topic, Topic]) -> None:
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: apply(bootstrap, two), range(2)))
    assert sorted(change.topic for changes in both for change in changes) == sorted(topic.name for topic in two)


def test_no_topics_are_nothing_to_do(bootstrap: str) -> None:
    assert apply(bootstrap, ()) == []
    assert list_topics(bootstrap, ()) == ()


def test_the_whole_catalogue_is_accepted_by_the_broker(bootstrap: str) -> None:
    prefix = uuid.uuid4().hex[:8]
    all_of_them = [
        replace(topic, name=f"{prefix}.{topic.name}")
        for topic in catalogue(("sales", "service", "marketing", "finance", "web", "social"), 4, 1, ALERTED)
    ]
    changes = apply(bootstrap, all_of_them)
    assert [(change.topic, change.kind) for change in changes] == [(topic.name, "created") for topic in all_of_them]


def test_other_settings_are_told_and_left(bootstrap: str, two: tuple[Topic, Topic]) -> None:
    apply(bootstrap, two)
    with admin_of(bootstrap) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, two[0].name, {"retention.ms": "5000"})])
    told = [TopicChange(two[0].name, "differs", "has retention.ms=5000 instead of 1814400000")]
    assert apply(bootstrap, two) == told
    assert apply(bootstrap, two) == told


@pytest.mark.parametrize("count", [1, 3])
def test_another_number_of_partitions_is_refused_before_anything_is_created(
    bootstrap: str, two: tuple[Topic, Topic], count: int
) -> None:
    apply(bootstrap, two[:1])
    with pytest.raises(PartitionsDiffer, match=rf"{two[0].name} has 2 partitions, but {count} are wanted"):
        apply(bootstrap, [two[1], replace(two[0], partitions=count)])
    assert [standing.exists for standing in list_topics(bootstrap, two)] == [True, False]


def test_a_topic_that_the_cluster_refuses_is_named_with_its_reason(bootstrap: str, two: tuple[Topic, Topic]) -> None:
    with pytest.raises(TopicRefused, match=rf"did not create {two[0].name}: .*[Rr]eplication"):
        apply(bootstrap, [replace(two[0], replication=9)])


def test_a_list_counts_records_and_tells_what_differs(bootstrap: str, two: tuple[Topic, Topic]) -> None:
    apply(bootstrap, two[:1])
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for number in range(5):
        producer.send(two[0].name, b"x", partition=number % 2)
    producer.close()
    wanted = replace(two[0], partitions=3, replication=3)
    full, missing = list_topics(bootstrap, [wanted, two[1]])
    assert (full.exists, full.partitions, full.offsets, full.records) == (True, 2, ((0, 3), (0, 2)), 5)
    assert full.differences == (
        "has 2 partitions instead of 3",
        "has 1 replica instead of 3",
        "has min.insync.replicas=1 instead of 2",
    )
    assert (missing.exists, missing.partitions, missing.records) == (False, 0, 0)
    assert missing.differences == ("does not exist",)


def test_topics_are_copied_to_as_many_brokers_as_there_are(bootstrap: str) -> None:
    with admin_of(bootstrap) as admin:
        brokers = len(admin.describe_cluster()["brokers"])
    assert replication(bootstrap) == min(3, brokers)


@pytest.mark.parametrize(
    "call", [replication, lambda server: apply(server, ()), lambda server: list_topics(server, ())]
)
def test_a_cluster_that_is_away_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[str], object]
) -> None:
    monkeypatch.setattr("agents.topic_admin.PATIENCE", 0.3)
    with pytest.raises(ClusterAway, match=r"No Kafka answers at 127\.0\.0\.1:1\."):
        call("127.0.0.1:1")
