"""Which brokers can run the bus, and how those that can't are mended."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cli.doctor.brokers import NEEDED, VERIFICATION, Broker, Needs, Setting, judge, span
from cli.doctor.cluster import spoken
from cli.doctor.finding import Finding, Verdict
from cli.doctor.remedy import Commands

DAY = 86_400_000
NEEDS = Needs(transaction=10_000, session=10_000, refence=DAY, kept=21 * DAY, record=2 * 1024 * 1024)
SCRIPTS = Commands("k:9092", scripts=True)
EMBEDDED = Commands("127.0.0.1:1", scripts=False)
GOOD = {
    VERIFICATION: "true",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "transaction.max.timeout.ms": "60000",
    "group.min.session.timeout.ms": "6000",
    "group.max.session.timeout.ms": "1800000",
    "auto.create.topics.enable": "false",
    "offsets.retention.minutes": "86400",
    "transactional.id.expiration.ms": "604800000",
    "message.max.bytes": "3000000",
    "group.initial.rebalance.delay.ms": "100",
}
SPEAKS = dict.fromkeys(NEEDED, (0, 9))


def broker(
    node: int = 1,
    changed: Mapping[str, str | None] | None = None,
    *,
    fixed: bool = False,
    own: bool = False,
    speaks: Mapping[str, tuple[int, int]] = SPEAKS,
) -> Broker:
    """A good one, but for ``changed``: settings, None for one that it does not have."""
    values = {**GOOD, **(changed or {})}
    settings = {name: Setting(value, fixed, own) for name, value in values.items() if value is not None}
    return Broker(node, "4.3", speaks, settings)


def found(
    *brokers: Broker,
    commands: Commands = SCRIPTS,
    features: Mapping[str, int] | None = None,
    absent: tuple[int, ...] = (),
    spoken: Mapping[str, tuple[int, int]] | None = None,
) -> dict[str, Finding]:
    """What is not well, by check."""
    judged = judge(brokers, absent, features or {}, spoken or SPEAKS, NEEDS, commands)
    return {finding.check: finding for finding in judged if finding.verdict is not Verdict.OK}


def test_three_good_brokers_are_all_well() -> None:
    assert {} == found(broker(1), broker(2), broker(3))


def test_the_embedded_broker_may_be_alone() -> None:
    assert {} == found(broker(), commands=EMBEDDED)


def test_two_brokers_of_a_cluster_are_a_warning() -> None:
    assert Verdict.WARNING == found(broker(1), broker(2))["Kafka"].verdict


def test_brokers_that_are_away_are_named() -> None:
    told = found(broker(1), broker(3), absent=(2,))["Kafka"]
    assert (Verdict.WARNING, ("Start broker 2 again.",)) == (told.verdict, told.advice)


@pytest.mark.parametrize(
    ("setting", "value", "verdict", "wanted"),
    [
        ("transaction.abort.timed.out.transaction.cleanup.interval.ms", "10000", Verdict.WARNING, "1000"),
        ("transaction.max.timeout.ms", "900000", Verdict.WARNING, "60000"),
        ("transaction.max.timeout.ms", "9999", Verdict.WRONG, "60000"),
        ("group.min.session.timeout.ms", "10001", Verdict.WRONG, "6000"),
        ("group.max.session.timeout.ms", "9999", Verdict.WRONG, "1800000"),
        ("auto.create.topics.enable", "true", Verdict.WARNING, "false"),
        ("offsets.retention.minutes", "10080", Verdict.WARNING, "86400"),
        ("transactional.id.expiration.ms", "86399999", Verdict.WRONG, "604800000"),
    ],
)
def test_a_setting_that_will_not_do_is_told_with_one_that_does(
    setting: str, value: str, verdict: Verdict, wanted: str
) -> None:
    told = found(*(broker(node, {setting: value}) for node in (1, 2, 3)))
    assert {setting} == set(told)
    assert verdict == told[setting].verdict
    assert told[setting].found.startswith(value)
    set_all = "kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type brokers --entity-default --add-config"
    assert (f"{set_all} {setting}={wanted}",) == told[setting].advice
    assert {} == found(*(broker(node, {setting: wanted}) for node in (1, 2, 3)))


@pytest.mark.parametrize(
    ("setting", "edge"),
    [
        ("transaction.max.timeout.ms", "10000"),
        ("group.min.session.timeout.ms", "10000"),
        ("group.max.session.timeout.ms", "10000"),
        ("offsets.retention.minutes", str(21 * 24 * 60)),
        ("transactional.id.expiration.ms", str(DAY)),
    ],
)
def test_what_just_does_is_well(setting: str, edge: str) -> None:
    assert {} == found(*(broker(node, {setting: edge}) for node in (1, 2, 3)))


def test_only_the_brokers_that_differ_are_named_and_their_own_value_is_removed_first() -> None:
    told = found(broker(1), broker(2, {"transaction.max.timeout.ms": "900000"}, own=True), broker(3))
    finding = told["transaction.max.timeout.ms"]
    assert "900000 (15 min) on broker 2: " in finding.found
    assert "--entity-name 2 --delete-config transaction.max.timeout.ms" in finding.advice[0]
    assert "--entity-default --add-config transaction.max.timeout.ms=60000" in finding.advice[1]


def test_a_setting_that_only_a_restart_changes_is_for_the_properties_file() -> None:
    told = found(*(broker(node, {"auto.create.topics.enable": "true"}, fixed=True) for node in (1, 2, 3)))
    (step,) = told["auto.create.topics.enable"].advice
    assert step.startswith("Put auto.create.topics.enable=false into server.properties of each broker")


def test_beside_the_embedded_kafka_the_python_client_has_the_commands() -> None:
    told = found(broker(1, {"auto.create.topics.enable": "true"}), commands=EMBEDDED)
    (step,) = told["auto.create.topics.enable"].advice
    assert (
        "python -m kafka.admin -b 127.0.0.1:1 configs alter -r broker -n 1 -c auto.create.topics.enable=false" == step
    )


def test_a_setting_that_is_not_told_is_a_warning() -> None:
    told = found(*(broker(node, {"offsets.retention.minutes": None}) for node in (1, 2, 3)))
    assert ["offsets.retention.minutes"] == list(told)
    assert Verdict.WARNING == told["offsets.retention.minutes"].verdict


def test_brokers_that_do_not_verify_transactions_are_refused_whatever_their_transaction_version() -> None:
    told = found(broker(1), broker(2), broker(3, {VERIFICATION: "false"}), features={"transaction.version": 2})
    finding = told["transaction verification"]
    assert Verdict.WRONG == finding.verdict
    assert f"{VERIFICATION}=false on broker 3" in finding.found
    assert f"--entity-default --add-config {VERIFICATION}=true" in finding.advice[0]


@pytest.mark.parametrize(
    ("features", "refused"), [({}, True), ({"transaction.version": 1}, True), ({"transaction.version": 2}, False)]
)
def test_brokers_without_that_setting_must_have_the_second_transaction_version(
    features: Mapping[str, int], refused: bool
) -> None:
    told = found(*(broker(node, {VERIFICATION: None}) for node in (1, 2, 3)), features=features)
    assert refused == ("transaction verification" in told)


@pytest.mark.parametrize(
    ("broker_speaks", "client_speaks", "lacking"),
    [
        ((0, 4), (0, 9), True),  # too old
        ((8, 12), (0, 7), True),  # too new
        ((5, 5), (0, 9), False),
        ((0, 9), (2, 5), False),
    ],
)
def test_both_must_speak_a_version_that_has_what_the_bus_needs(
    broker_speaks: tuple[int, int], client_speaks: tuple[int, int], lacking: bool
) -> None:
    odd = broker(3, speaks={**SPEAKS, "JoinGroup": broker_speaks})
    told = found(broker(1), broker(2), odd, spoken={**SPEAKS, "JoinGroup": client_speaks})
    assert lacking == ("protocol" in told)
    assert not lacking or "JoinGroup on broker 3" in told["protocol"].found


def test_a_request_that_the_broker_does_not_know_is_named() -> None:
    speaks = {request: versions for request, versions in SPEAKS.items() if request != "DescribeProducers"}
    assert "DescribeProducers on broker 1" in found(broker(speaks=speaks), commands=EMBEDDED)["protocol"].found


def test_the_bus_s_client_can_make_every_request_that_workers_need() -> None:
    asked_by_doctor_only = {"DescribeConfigs", "DescribeProducers", "ListTransactions", "DescribeTransactions"}
    versions = spoken()
    assert set(NEEDED) - asked_by_doctor_only <= set(versions)
    assert [] == [name for name, first in NEEDED.items() if versions.get(name, (0, first))[1] < first]


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(100, "100 ms"), (1000, "1 s"), (1500, "1500 ms"), (90_000, "90 s"), (900_000, "15 min"), (21 * DAY, "21 d")],
)
def test_times_are_written_in_a_unit_that_is_easy_to_read(milliseconds: int, words: str) -> None:
    assert words == span(milliseconds)
