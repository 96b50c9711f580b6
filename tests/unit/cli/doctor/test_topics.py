"""What is wrong with topics, and how it is mended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pytest

from cli.doctor.finding import Finding, Verdict
from cli.doctor.remedy import Commands
from cli.doctor.topics import MEANINGS, PartitionView, TopicView, judge
from schemas.topics import Topic, catalogue

NODES = (1, 2, 3)
COMMANDS = Commands("k:9092", scripts=True)
SET = "kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type topics --entity-name t --add-config"
DAY = 86_400_000


def topic(cleanup: Literal["delete", "compact"] = "delete", partitions: int = 2, replication: int = 3) -> Topic:
    return Topic("t", partitions, replication, cleanup, 1_000_000)


def part(*replicas: int, leader: int | None = 1, in_sync: tuple[int, ...] | None = None) -> PartitionView:
    return PartitionView(leader, replicas, replicas if in_sync is None else in_sync)


def seen(wanted: Topic, *parts: PartitionView, **changed: str | None) -> TopicView:
    """As ``wanted``, but for ``parts`` and ``changed`` settings (``_`` for the dots)."""
    settings: dict[str, str | None] = {**wanted.config, "retention.bytes": "-1"}
    settings |= {"unclean.leader.election.enable": "false"}
    settings |= {name.replace("_", "."): value for name, value in changed.items()}
    return TopicView(dict(enumerate(parts or (part(1, 2, 3), part(2, 3, 1)))), settings)


def found(wanted: Topic, there: TopicView | None, others: Mapping[str, TopicView] | None = None) -> list[Finding]:
    """What is not well."""
    all_of_them = {**({"t": there} if there else {}), **(others or {})}
    return [one for one in judge([wanted], all_of_them, NODES, COMMANDS) if one.verdict is not Verdict.OK]


@pytest.mark.parametrize("cleanup", ["delete", "compact"])
def test_a_topic_that_is_as_wanted_is_well(cleanup: Literal["delete", "compact"]) -> None:
    wanted = topic(cleanup)
    assert [Finding("topics", Verdict.OK, "1 of 1 are as the bus needs them")] == judge(
        [wanted], {"t": seen(wanted)}, NODES, COMMANDS
    )


def test_every_setting_of_the_catalogue_has_a_meaning() -> None:
    settings = {name for one in catalogue(("sales",), 4, 3, ("sales",)) for name in one.config}
    assert set() == settings - set(MEANINGS)


def test_a_missing_topic_is_applied() -> None:
    assert [Finding("topics", Verdict.WRONG, "t is missing", ("cxbus topics apply",))] == found(topic(), None)


@pytest.mark.parametrize("name", ["retention.ms", "cleanup.policy", "message.timestamp.type", "min.insync.replicas"])
def test_a_setting_that_breaks_a_promise_is_wrong_and_has_its_command(name: str) -> None:
    wanted = topic()
    there = {"cleanup.policy": "compact", "message.timestamp.type": "CreateTime"}.get(name, "1")
    (told,) = found(wanted, seen(wanted, **{name.replace(".", "_"): there}))
    assert ("t", Verdict.WRONG) == (told.check, told.verdict)
    assert f"has {name}={there} instead of {wanted.config[name]}" in told.found
    assert (f"{SET} {name}={wanted.config[name]}",) == told.advice


@pytest.mark.parametrize(
    ("name", "less", "more"),
    [
        ("retention.ms", Verdict.WRONG, Verdict.WARNING),
        ("max.message.bytes", Verdict.WRONG, Verdict.WARNING),
        ("segment.ms", Verdict.WARNING, Verdict.WRONG),
        ("min.insync.replicas", Verdict.WRONG, Verdict.WRONG),
    ],
)
def test_a_setting_that_only_errs_on_the_safe_side_is_a_warning(name: str, less: Verdict, more: Verdict) -> None:
    wanted = topic()
    value = int(wanted.config[name])
    for there, verdict in ((value - 1, less), (value + 1, more)):
        assert [verdict] == [one.verdict for one in found(wanted, seen(wanted, **{name.replace(".", "_"): str(there)}))]


def test_no_limit_is_more_than_any_limit() -> None:
    wanted = topic()
    assert [Verdict.WARNING] == [one.verdict for one in found(wanted, seen(wanted, retention_ms="-1"))]


def test_times_are_told_as_people_write_them() -> None:
    wanted = topic()
    (told,) = found(wanted, seen(wanted, retention_ms=str(7 * DAY)))
    assert (
        "has retention.ms=604800000 (7 d) instead of 1814400000 (21 d): a bus that is stopped for longer" in told.found
    )


def test_records_must_not_be_dropped_by_size_unless_they_are_compacted() -> None:
    for cleanup, wrong in (("delete", ["t"]), ("compact", [])):
        wanted = topic("delete" if cleanup == "delete" else "compact")
        assert wrong == [one.check for one in found(wanted, seen(wanted, retention_bytes="1000"))]


def test_a_broker_that_lags_behind_must_not_become_leader() -> None:
    wanted = topic()
    (told,) = found(wanted, seen(wanted, unclean_leader_election_enable="true"))
    assert (f"{SET} unclean.leader.election.enable=false",) == told.advice


def test_settings_that_are_not_told_are_one_warning() -> None:
    wanted = topic()
    (told,) = found(wanted, TopicView(seen(wanted).partitions, {}))
    assert (Verdict.WARNING, "does not show its settings") == (told.verdict, told.found)


def test_another_number_of_partitions_can_t_be_mended_on_the_topic() -> None:
    wanted = topic(partitions=4)
    (told,) = found(wanted, seen(wanted))
    assert Verdict.WRONG == told.verdict
    assert "has 2 partitions instead of 4. The number must not change once a topic exists" in told.found
    assert "set CXBUS_PARTITIONS=2" in told.advice[0]


def test_too_few_copies_are_spread_over_the_other_brokers() -> None:
    wanted = topic()
    (told,) = found(wanted, seen(wanted, part(2), part(3)))
    assert Verdict.WRONG == told.verdict
    assert '"partition": 0, "replicas": [2, 3, 1]' in told.advice[0]
    assert '"partition": 1, "replicas": [3, 1, 2]' in told.advice[0]
    assert (
        "kafka-reassign-partitions.sh --bootstrap-server k:9092 --reassignment-json-file t.json --execute"
        == told.advice[1]
    )


def test_more_copies_than_there_are_brokers_can_t_be_had() -> None:
    wanted = topic(replication=5)
    (told,) = found(wanted, seen(wanted))
    assert ("Run 5 brokers, or set CXBUS_REPLICATION=3: there are 3.",) == told.advice


def test_more_copies_than_asked_for_are_a_warning() -> None:
    wanted = topic(replication=2)
    assert [Verdict.WARNING] == [one.verdict for one in found(wanted, seen(wanted))]


def test_a_partition_without_a_leader_is_wrong_and_names_the_brokers_that_have_it() -> None:
    wanted = topic()
    (told,) = found(wanted, seen(wanted, part(1, 2, 3, leader=None, in_sync=(2,)), part(1, 2, 3)))
    assert (Verdict.WRONG, "partition 0 can't be read or written: no broker is the leader") == (
        told.verdict,
        told.found,
    )
    assert "Check broker 1 and 3" in told.advice[0]


def test_fewer_copies_in_step_than_a_write_needs_are_wrong_and_one_that_lags_is_a_warning() -> None:
    wanted = topic()
    alone, lagging = part(1, 2, 3, in_sync=(1,)), part(1, 2, 3, in_sync=(1, 2))
    few, behind = found(wanted, seen(wanted, alone, lagging))
    assert (Verdict.WRONG, Verdict.WARNING) == (few.verdict, behind.verdict)
    assert "partition 0 can't be written: min.insync.replicas=2" in few.found
    assert "partition 1: a replica is not in sync" == behind.found


def test_kafka_s_own_topics_need_copies_and_leaders_too() -> None:
    wanted = topic()
    own = {
        "__transaction_state": TopicView({0: part(1, leader=None)}, {}),
        "__consumer_offsets": TopicView({0: part(1, 2, 3)}, {}),
    }
    told = found(wanted, seen(wanted), own)
    assert [("__transaction_state", Verdict.WARNING), ("__transaction_state", Verdict.WRONG)] == [
        (one.check, one.verdict) for one in told
    ]
