"""The examples are what a department copies: they run as they stand, beside a bus that runs for real."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, OffsetSpec
from kafka.structs import TopicPartition

from agents.topic_admin import apply
from deploy.broker import EmbeddedBroker
from examples.subscribe import take
from schemas.registry import Registry
from schemas.topics import alerts_topic, events_topic

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLES = PROJECT / "examples"
PATIENCE = 60.0
PARTITIONS = 4
TOPICS = Registry.discover().topics(PARTITIONS, 1)


@dataclass(frozen=True, slots=True)
class Bus:
    """A broker with the bus's topics, and one worker of ``data_dir``."""

    bootstrap: str
    data_dir: Path

    def page(self, path: str) -> str:
        """One of the worker's ops pages; empty while it can't answer with 200."""
        note = self.data_dir / "run" / "worker-0.json"
        try:
            with urllib.request.urlopen(json.loads(note.read_text())["url"] + path, timeout=10) as page:
                return str(page.read().decode())
        except (OSError, ValueError):  # no note, half a note, or 503
            return ""

    def copies_ignored(self) -> int:
        """``cxbus_duplicates_total`` of the worker."""
        lines = self.page("/metrics").splitlines()
        return next((int(float(line.split()[1])) for line in lines if line.startswith("cxbus_duplicates_total ")), 0)


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    """A bus with a Kafka of its own: its topics have fixed names, so that two buses can't share the tests' broker."""
    home = tmp_path_factory.mktemp("bus")
    with EmbeddedBroker(home) as broker:
        apply(broker.bootstrap, TOPICS)
        settings = {
            "CXBUS_BOOTSTRAP": broker.bootstrap,
            "CXBUS_PARTITIONS": str(PARTITIONS),
            "CXBUS_IDENTITY_KEY": "only for this test, and made up",
            "CXBUS_DATA_DIR": str(home),
        }
        with (home / "worker.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "worker"], cwd=PROJECT, env=os.environ | settings, stderr=log
            )
        try:
            running = Bus(broker.bootstrap, home)
            until(lambda: running.page("/readyz") != "")
            yield running
        finally:
            worker.terminate()
            code = worker.wait(PATIENCE)
        assert (0, "") == (code, "" if code == 0 else (home / "worker.log").read_text())


@contextmanager
def subscriber(bus: Bus) -> Iterator[Callable[[], list[str]]]:
    """``examples/subscribe.py`` while it runs; what it printed up to now."""
    printed = bus.data_dir / "printed"
    with printed.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / "subscribe.py"), "--bootstrap", bus.bootstrap],
            cwd=bus.data_dir,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield lambda: printed.read_text().splitlines()
        finally:
            process.terminate()
            process.wait(PATIENCE)


def published(bootstrap: str, day: str) -> subprocess.CompletedProcess[str]:
    """What ``examples/publish.py`` said."""
    command = [sys.executable, str(EXAMPLES / "publish.py"), "--bootstrap", bootstrap, "--day", day]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def until(holds: Callable[[], bool]) -> None:
    """Waits for it. Raises AssertionError after ``PATIENCE`` seconds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.1)


def caught_up(bootstrap: str) -> bool:
    """Whether the subscriber's group has committed everything that there is for marketing."""
    partitions = [TopicPartition(alerts_topic("marketing"), number) for number in range(PARTITIONS)]
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        ends = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        committed = admin.list_group_offsets("marketing-app")["marketing-app"]
    return any(ends[at].offset for at in partitions) and all(
        at in committed and committed[at].offset == ends[at].offset for at in partitions
    )


def forget_group(bootstrap: str) -> None:
    """Makes Kafka deliver everything once more, as after a crash between acting and committing, but all of it."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.delete_groups(["marketing-app"])


@pytest.mark.kafka
def test_the_subscriber_hears_once_of_a_campaign_during_a_complaint(bus: Bus) -> None:
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    said = f"published service.case.opened.v1 K-{day}/opened\npublished marketing.campaign.sent.v1 spring-{day}\n"
    with subscriber(bus) as printed:
        for _ in range(2):
            outcome = published(bus.bootstrap, day)
            assert (0, said, "") == (outcome.returncode, outcome.stdout, outcome.stderr)
        until(lambda: bus.copies_ignored() == 2)
        until(lambda: caught_up(bus.bootstrap))
        heard = [line.partition(" although ")[0] for line in printed()]
    assert [f"NEW Mary Example: Campaign spring-{day} went out by email"] == heard
    forget_group(bus.bootstrap)
    with subscriber(bus) as printed:
        until(lambda: caught_up(bus.bootstrap))
        assert [] == printed()


@pytest.mark.kafka
def test_a_publisher_whom_kafka_refuses_says_no(bus: Bus) -> None:
    topic = events_topic("marketing")
    before = {"max.message.bytes": next(one for one in TOPICS if one.name == topic).config["max.message.bytes"]}
    with KafkaAdminClient(bootstrap_servers=bus.bootstrap) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": "10"})])
        try:
            outcome = published(bus.bootstrap, "2026-03-02")
        finally:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, before)])
    assert (1, "published service.case.opened.v1 K-2026-03-02/opened\n") == (outcome.returncode, outcome.stdout)
    assert "MessageSizeTooLarge" in outcome.stderr


def test_a_publisher_without_kafka_says_no() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # bound and closed again: nobody answers there
    outcome = published(f"127.0.0.1:{port}", "2026-03-02")
    assert (1, "") == (outcome.returncode, outcome.stdout)
    assert outcome.stderr.startswith("not published, try again: ")


# --- what the subscriber makes of messages ----------------------------------------------------------------------------


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE seen (source, id, PRIMARY KEY (source, id))")
    connection.execute("CREATE TABLE standing (alert, customer, PRIMARY KEY (alert, customer))")
    yield connection
    connection.close()


def told(db: sqlite3.Connection, *messages: tuple[str, str]) -> list[str | None]:
    """What people read of one alert's messages: customer and state of each."""
    return [
        take(db, {"source": "/cxbus", "id": f"a_1/{customer}/{state}/0-{number}"}, alert(customer, state))
        for number, (customer, state) in enumerate(messages)
    ]


def alert(customer: str, state: str) -> dict[str, Any]:
    return {"alertId": "a_1", "customerId": customer, "state": state}


def test_an_alert_is_new_then_changes_then_is_over(db: sqlite3.Connection) -> None:
    assert ["NEW", "CHANGED", "OVER"] == told(db, ("c_1", "fired"), ("c_1", "updated"), ("c_1", "resolved"))
    assert ["NEW", "RUN OUT"] == told(db, ("c_2", "fired"), ("c_2", "expired"))


def test_a_copy_of_a_message_says_nothing(db: sqlite3.Connection) -> None:
    assert ["NEW", "OVER"] == told(db, ("c_1", "fired"), ("c_1", "resolved"))
    assert [None, None] == told(db, ("c_1", "fired"), ("c_1", "resolved"))


def test_the_end_of_what_nobody_saw_says_nothing(db: sqlite3.Connection) -> None:
    assert [None, None, None] == told(db, ("c_1", "resolved"), ("c_2", "expired"), ("c_3", "retracted"))


def test_a_retraction_for_one_customer_leaves_the_alert_of_another(db: sqlite3.Connection) -> None:
    merged = told(db, ("c_old", "fired"), ("c_new", "updated"), ("c_old", "retracted"), ("c_new", "updated"))
    assert ["NEW", "NEW", "TAKEN BACK", "CHANGED"] == merged


def test_an_alert_that_stands_again_is_new(db: sqlite3.Connection) -> None:
    assert ["NEW", "OVER", "NEW"] == told(db, ("c_1", "fired"), ("c_1", "resolved"), ("c_1", "updated"))
