"""``cxbus doctor`` on a real Kafka: all well; then each thing that is broken is found, and its remedy mends it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from agents.foreign import letters_about
from agents.identifiers import Identifiers
from agents.key_record import key_record
from agents.metrics import Metrics
from agents.normalisation import VERSION
from cli.doctor import examination, transactions
from cli.doctor.brokers import VERIFICATION
from cli.main import app
from cli.problem import Code
from deploy.broker import EmbeddedBroker
from engine.kafka.mark import MARK
from engine.kafka.record import Record
from schemas.topics import DEAD, IDENTITIES, JOURNAL, LINKS, PROFILES

pytestmark = pytest.mark.kafka

KEY = "a key of this test's own"
DEPARTMENT = "cx.sales.events.v1"

LEFT_OPEN = """
import asyncio, os, sys
from aiokafka import AIOKafkaProducer

async def main(bootstrap, topic, name):
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=name, transaction_timeout_ms=60_000)
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"x", partition=0)
    os._exit(0)  # as if killed

asyncio.run(main(*sys.argv[1:]))
"""
HANGING = LEFT_OPEN.replace(
    "    await producer.send_and_wait",
    # The late write of a fenced producer: the coordinator does not know that the partition is in the transaction.
    "    from aiokafka import TopicPartition\n"
    "    producer._txn_manager._txn_partitions.add(TopicPartition(topic, 0))\n"
    "    await producer.send_and_wait",
)
ENDED = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

async def main(bootstrap, name):
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=name, transaction_timeout_ms=60_000)
    await producer.start()  # fences the one before, and aborts what it left
    await producer.stop()

asyncio.run(main(*sys.argv[1:]))
"""


def cxbus(data: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["--data-dir", str(data), *arguments])
    return result.exit_code, result.stdout


def ill(data: Path, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code, and what is not well by check (the last one of each)."""
    code, out = cxbus(data, *arguments, "doctor", "--json")
    return code, {one["check"]: one for one in json.loads(out)["findings"] if one["verdict"] != "ok"}


def mend(step: str) -> None:
    """Runs a remedy as it was printed."""
    python, *arguments = shlex.split(step)
    assert "python" == python
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)
    assert 0 == done.returncode, done.stderr


def program(code: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, timeout=60)


class Home(NamedTuple):
    """A data directory, and the embedded Kafka that runs there."""

    data: Path
    broker: EmbeddedBroker


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """With all topics, and the fingerprint of ``KEY`` among the identities."""
    data = tmp_path_factory.mktemp("doctor")
    with pytest.MonkeyPatch.context() as patch, EmbeddedBroker(data) as running:
        _alone(patch)
        assert Code.OK == cxbus(data, "topics", "apply")[0]
        value = key_record(Identifiers(KEY.encode()))
        producer = KafkaProducer(bootstrap_servers=running.bootstrap)
        producer.send(IDENTITIES, key=b"#key", value=value, headers=[MARK]).get(timeout=30)
        producer.close()
        yield Home(data, running)


@pytest.fixture
def broker(home: Home) -> EmbeddedBroker:
    return home.broker


@pytest.fixture(autouse=True)
def key_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are ``KEY`` and nothing else; and no long waiting."""
    _alone(monkeypatch)
    monkeypatch.setenv("CXBUS_IDENTITY_KEY", KEY)
    monkeypatch.setattr(examination, "AGAIN", 0.5)


@pytest.fixture
def data(home: Home) -> Path:
    return home.data


def _alone(patch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CXBUS_")]:
        if name not in ("CXBUS_CACHE", "CXBUS_MAVEN_MIRROR"):
            patch.delenv(name)


@pytest.fixture
def admin(broker: EmbeddedBroker) -> Iterator[Any]:
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as client:
        yield client


def test_the_embedded_kafka_is_all_well(data: Path) -> None:
    code, out = cxbus(data, "doctor")
    assert Code.OK == code, out
    assert out.splitlines()[-1].endswith(" checks: all is well.")
    assert {"✓"} == {line[0] for line in out.splitlines()[:-2]}
    checks = {line[2:].split(":")[0] for line in out.splitlines()[:-2]}
    assert checks >= {"settings", "data directory", "rules", "Kafka", "protocol", "transaction verification", "topics"}
    assert checks >= {"open transactions", "identity key", "clock", "offsets.retention.minutes"}


def test_a_topic_that_keeps_records_for_too_short_is_found_and_mended(data: Path, admin: Any) -> None:
    _set(admin, JOURNAL, "retention.ms", "604800000")
    code, found = ill(data)
    assert (Code.WRONG, [JOURNAL]) == (code, list(found))
    assert "has retention.ms=604800000 (7 d) instead of 1814400000 (21 d)" in found[JOURNAL]["found"]
    mend(*found[JOURNAL]["advice"])
    assert (Code.OK, {}) == ill(data)


def test_a_broker_that_stops_verifying_transactions_is_refused_and_mended(data: Path, admin: Any) -> None:
    _set_broker(admin, VERIFICATION, "false")
    code, found = ill(data)
    assert (Code.WRONG, ["transaction verification"]) == (code, list(found))
    mend(*found["transaction verification"]["advice"])
    assert (Code.OK, {}) == ill(data)


def test_a_deleted_topic_is_missed_and_applied_again(data: Path, admin: Any) -> None:
    admin.delete_topics([DEPARTMENT])
    code, found = ill(data)
    assert (Code.WRONG, ["topics"]) == (code, list(found))
    assert (f"{DEPARTMENT} is missing", ["cxbus topics apply"]) == (found["topics"]["found"], found["topics"]["advice"])
    assert Code.OK == cxbus(data, "topics", "apply")[0]
    assert (Code.OK, {}) == ill(data)


def test_other_partitions_than_the_topics_have_are_found_and_the_setting_mends_it(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXBUS_PARTITIONS", "3")
    code, found = ill(data)
    assert Code.WRONG == code
    assert "has 4 partitions instead of 3" in found[JOURNAL]["found"]
    assert LINKS not in found
    monkeypatch.setenv("CXBUS_PARTITIONS", "4")
    assert (Code.OK, {}) == ill(data)


def test_another_identity_key_and_a_lost_one_are_found(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXBUS_IDENTITY_KEY", "another key than that")
    code, found = ill(data)
    assert (Code.WRONG, ["identity key"]) == (code, list(found))
    assert KEY not in json.dumps(found)
    monkeypatch.delenv("CXBUS_IDENTITY_KEY")
    code, found = ill(data)
    assert (Code.WRONG, ["identity key"]) == (code, list(found))
    assert found["identity key"]["found"].startswith("is missing")
    assert not (data / "identity.key").exists()  # nothing is made by looking


def test_identities_of_another_normalisation_are_found(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.doctor.examination.VERSION", VERSION + 1)
    code, found = ill(data)
    assert (Code.WRONG, ["identifiers"]) == (code, list(found))
    assert "of the normalisation of identifiers" in found["identifiers"]["found"]


def test_a_killed_publisher_s_open_transaction_is_told_until_it_is_ended(
    data: Path, broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(LEFT_OPEN, broker.bootstrap, DEPARTMENT, "shop")
    assert (Code.OK, {}) == ill(data)
    monkeypatch.setattr(transactions, "LONG", 100)
    code, found = ill(data)
    assert (Code.OK, ["open transactions"]) == (code, list(found))
    assert f"{DEPARTMENT}, partition 0, from offset" in found["open transactions"]["found"]
    assert "of shop" in found["open transactions"]["found"]
    program(ENDED, broker.bootstrap, "shop")
    assert (Code.OK, {}) == ill(data)


def test_a_hanging_transaction_is_found_and_aborted(data: Path, broker: EmbeddedBroker, admin: Any) -> None:
    _set_broker(admin, VERIFICATION, "false")
    program(HANGING, broker.bootstrap, DEPARTMENT, "zombie")
    _set_broker(admin, VERIFICATION, "true")
    code, found = ill(data)
    assert (Code.WRONG, ["open transactions"]) == (code, list(found))
    assert f"{DEPARTMENT}, partition 0, from offset" in found["open transactions"]["found"]
    assert "hangs" in found["open transactions"]["found"]
    mend(*found["open transactions"]["advice"])
    assert (Code.OK, {}) == ill(data)


def test_a_given_kafka_must_be_told_its_partitions_and_key_and_is_mended_with_kafka_s_scripts(
    broker: EmbeddedBroker, admin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("--bootstrap", broker.bootstrap)
    monkeypatch.delenv("CXBUS_IDENTITY_KEY")
    code, out = cxbus(tmp_path, *given, "doctor")
    assert Code.WRONG == code
    assert "✗ settings: CXBUS_PARTITIONS is not set." in out
    assert "✗ settings: CXBUS_IDENTITY_KEY is not set." in out
    monkeypatch.setenv("CXBUS_IDENTITY_KEY", KEY)
    monkeypatch.setenv("CXBUS_PARTITIONS", "4")
    _set(admin, LINKS, "segment.ms", "3600000")
    code, found = ill(tmp_path, *given)
    assert (Code.OK, {"Kafka", LINKS}) == (code, set(found))
    assert ["Run three brokers."] == found["Kafka"]["advice"]
    command = (
        f"kafka-configs.sh --bootstrap-server {broker.bootstrap} --alter --entity-type topics --entity-name {LINKS}"
    )
    assert [f"{command} --add-config segment.ms=86400000"] == found[LINKS]["advice"]
    _set(admin, LINKS, "segment.ms", "86400000")


def test_a_misspelt_setting_and_a_broken_rule_are_found_before_kafka_is_asked(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.yaml").write_text("name: [")
    monkeypatch.setenv("CXBUS_RULES_DIR", str(tmp_path))
    monkeypatch.setenv("CXBUS_BOOSTRAP", "k:9092")
    code, found = ill(data)
    assert (Code.WRONG, {"settings", "rules"}) == (code, set(found))
    assert "CXBUS_BOOSTRAP in the environment is not a setting, and is ignored" == found["settings"]["found"]
    assert "bad.yaml" in found["rules"]["found"]


@pytest.mark.faults
def test_a_frozen_kafka_is_away(data: Path, broker: EmbeddedBroker) -> None:
    os.killpg(broker.group, signal.SIGSTOP)
    try:
        code, found = ill(data)
    finally:
        os.killpg(broker.group, signal.SIGCONT)
    assert (Code.AWAY, ["Kafka"]) == (code, list(found))
    assert "does not answer" in found["Kafka"]["found"]
    broker.wait_ready()


def test_without_kafka_the_rest_is_told_all_the_same(tmp_path: Path) -> None:
    code, out = cxbus(tmp_path, "doctor", "--json")
    assert Code.AWAY == code
    verdicts = {one["check"]: one["verdict"] for one in json.loads(out)["findings"]}
    assert {"settings": "ok", "data directory": "ok", "rules": "ok", "Kafka": "wrong"} == verdicts


def test_foreign_records_are_told_of_with_whose_state_they_hide(home: Home, data: Path) -> None:
    customer = b"c_" + b"0123456789abcdef0123456789"
    about = Record(PROFILES, 0, 5, 0, customer, b"junk", ())
    made = letters_about([about], "journey", Metrics(CollectorRegistry()))[0]
    producer = KafkaProducer(bootstrap_servers=home.broker.bootstrap)
    producer.send(DEAD, key=made.key, value=made.value, headers=list(made.headers)).get(timeout=30)
    newer = producer.send(JOURNAL, key=b"c_1", value=b"{}", headers=[("v", b"2")], partition=0).get(timeout=30)
    producer.close()
    said = cxbus(data, "doctor")[1]
    assert "cx.profiles.v1/0/5 has the key of the customer c_0123456789abcdef0123456789" in said
    assert f"cx.journal.v1/0/{newer.offset} was written by version 2 of the bus" in said


def _set(admin: Any, topic: str, name: str, value: str) -> None:
    assert {"topic": {topic: "OK"}} == admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})]
    )


def _set_broker(admin: Any, name: str, value: str) -> None:
    assert {"broker": {"1": "OK"}} == admin.alter_configs(
        [ConfigResource(ConfigResourceType.BROKER, "1", {name: value})]
    )
