"""The demo as people and CI run it: the whole bus in a process of its own, its story, its summary, its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from cli.demo.manifest import EXPECTED
from schemas.registry import Registry
from schemas.topics import events_topic

pytestmark = pytest.mark.kafka

PATIENCE = 180.0
"""Seconds for a whole demo: its own limit is 120 for the story."""
PARTITIONS = 4
SUMMARY = {
    "ok": True,
    "events": 249,
    "customers": 39,
    "merges": 1,
    "alerts": {
        "campaign-during-complaint": 1,
        "contact-fatigue": 1,
        "dunning-during-dispute": 1,
        "upsell-moment": 1,
    },
    "states": {
        "campaign-during-complaint": {"fired": 1},
        "contact-fatigue": {"retracted": 1},
        "dunning-during-dispute": {"resolved": 1},
        "upsell-moment": {"fired": 1},
    },
    "dead": 1,
    "reasons": {"invalid-data": 1},
    "differences": [],
}


def environment(home: Path, bootstrap: str | None) -> dict[str, str]:
    """No settings but these; temporary directories below ``home``, where nothing may stay."""
    (home / "tmp").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CXBUS_") or name == "CXBUS_CACHE"}
    if bootstrap is not None:
        kept |= {
            "CXBUS_BOOTSTRAP": bootstrap,
            "CXBUS_PARTITIONS": str(PARTITIONS),
            "CXBUS_IDENTITY_KEY": "only for the tests, and made up",
        }
    return kept | {"TMPDIR": str(home / "tmp")}


def once(home: Path, bootstrap: str | None, *options: str) -> subprocess.CompletedProcess[str]:
    """``cxbus demo --once --json`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "demo", "--once", "--json", *options],
        cwd=home,
        env=environment(home, bootstrap),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def summary(printed: str) -> dict[str, Any]:
    """The one line of JSON, without how long it took."""
    found: dict[str, Any] = json.loads(printed)
    assert 0 < found.pop("seconds") < PATIENCE
    return found


@contextmanager
def staying(home: Path, bootstrap: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """``cxbus demo --json`` while it runs, and the file with the story as it is told."""
    told = home / "told"
    with told.open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "demo", "--json"],
            cwd=home,
            env=environment(home, bootstrap),
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        )
    try:
        yield process, told
    finally:
        process.kill()
        process.communicate()


def interrupted(process: subprocess.Popen[str]) -> int:
    """How it ends after a Ctrl-C."""
    process.send_signal(signal.SIGINT)
    return process.wait(PATIENCE)


def first_line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def published(bootstrap: str) -> int:
    """How many records the departments' topics have had."""
    partitions = [
        TopicPartition(events_topic(name), number)
        for name in Registry.discover().publishers
        for number in range(PARTITIONS)
    ]
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    try:
        return sum(consumer.end_offsets(partitions).values())
    finally:
        consumer.close()


def test_it_brings_everything_itself_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = once(tmp_path, None)
    assert (0, SUMMARY) == (done.returncode, summary(done.stdout)), done.stderr
    assert "To finance, marketing, sales, service: Cleo Winter, contact-fatigue" in done.stderr
    assert [] == list((tmp_path / "tmp").iterdir())
    assert ["tmp"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.faults
def test_it_can_be_run_again_and_again_on_the_same_cluster(bootstrap: str, tmp_path: Path) -> None:
    for _ in range(2):
        done = once(tmp_path, bootstrap)
        assert (0, SUMMARY) == (done.returncode, summary(done.stdout)), done.stderr


@pytest.mark.faults
def test_anything_else_than_the_manifest_says_is_failure_and_is_said(bootstrap: str, tmp_path: Path) -> None:
    sabotaged = tmp_path / "expected.yaml"
    text = EXPECTED.read_text()
    assert text.count("of: ben, state: fired") == 1
    sabotaged.write_text(text.replace("of: ben, state: fired", "of: ben, state: resolved"))
    done = once(tmp_path, bootstrap, "--manifest", str(sabotaged))
    differences = [
        "missing: alert upsell-moment of ben, resolved, sent to sales",
        "unexpected: alert upsell-moment of ben, fired, sent to sales",
    ]
    assert (1, SUMMARY | {"ok": False, "differences": differences}) == (done.returncode, summary(done.stdout))
    assert all(difference in done.stderr for difference in differences)


@pytest.mark.faults
def test_an_interrupted_story_goes_on_at_the_next_start_and_is_then_only_shown(bootstrap: str, tmp_path: Path) -> None:
    with staying(tmp_path, bootstrap) as (process, told):
        while "Ada is mailed a promotion" not in told.read_text():
            assert process.poll() is None, told.read_text()
            time.sleep(0.05)
        assert 0 == interrupted(process)
        assert "" == first_line(process.stdout)
    with staying(tmp_path, bootstrap) as (process, told):
        assert SUMMARY == summary(first_line(process.stdout)), told.read_text()
        assert 0 == interrupted(process)
    before = published(bootstrap)
    with staying(tmp_path, bootstrap) as (process, told):
        assert SUMMARY == summary(first_line(process.stdout)), told.read_text()
        assert 0 == interrupted(process)
        assert "Played before" in told.read_text()
        assert "To marketing, service: Ada Marsh, campaign-during-complaint" in told.read_text()
    assert before == published(bootstrap)


def test_a_manifest_that_is_not_there_is_a_mistake_of_the_command(tmp_path: Path) -> None:
    done = once(tmp_path, None, "--manifest", "nowhere.yaml")
    assert (2, "") == (done.returncode, done.stdout)
    assert "nowhere.yaml" in done.stderr
