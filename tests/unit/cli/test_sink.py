"""The sink's process: what it counts, how it says it is, and when it refuses to start."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from cli.bus import Bus
from cli.given import Given
from cli.main import app
from cli.problem import Code, Problem
from sinks.base import Flushed
from sinks.metrics import SinkMetrics


def test_it_counts_what_it_writes_and_what_is_left() -> None:
    registry = CollectorRegistry()
    metrics = SinkMetrics(registry)
    metrics.flushed(Flushed(7, {("cx.timeline.v1", "not-json"): 2}), 0.25)
    metrics.behind("cx.timeline.v1", 0, 5)
    metrics.behind("cx.timeline.v1", 1, 6)
    metrics.behind("cx.timeline.v1", 0, 1)
    metrics.failed("database")
    assert 7 == registry.get_sample_value("cxbus_sink_records_total")
    unreadable = {"topic": "cx.timeline.v1", "reason": "not-json"}
    assert 2 == registry.get_sample_value("cxbus_sink_unreadable_total", unreadable)
    assert 0.25 == registry.get_sample_value("cxbus_sink_flush_seconds_sum")
    assert 7 == registry.get_sample_value("cxbus_consumer_lag_records", {"topic": "cx.timeline.v1"})
    assert 1 == registry.get_sample_value("cxbus_sink_failures_total", {"part": "database"})


def test_it_is_reading_from_the_first_word_on_how_far_it_is_until_the_broker_is_away() -> None:
    metrics = SinkMetrics(CollectorRegistry())
    assert (False, None) == (metrics.reading, metrics.failing)
    metrics.behind("t", 0, 3)
    assert (True, 3) == (metrics.reading, metrics.left)
    metrics.failed("broker")
    assert (False, "broker") == (metrics.reading, metrics.failing)
    metrics.behind("t", 0, 0)
    assert (True, None) == (metrics.reading, metrics.failing)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, "data/cxbus.db"),
        ("sqlite:///own.db", "own.db"),
        ("sqlite+pysqlite:////var/own.db", "/var/own.db"),
    ],
)
def test_the_database_is_a_file(
    url: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if url is not None:
        monkeypatch.setenv("CXBUS_DATABASE", url)
    assert tmp_path / expected == Bus(Given(data_dir=Path("data"))).database


@pytest.mark.parametrize("url", ["postgresql://user:secret@host/db", "sqlite://", "sqlite:///", "own.db"])
def test_another_database_is_a_usage_error_that_keeps_its_secrets(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXBUS_DATABASE", url)
    with pytest.raises(Problem, match="CXBUS_DATABASE is not an SQLite URL") as caught:
        _ = Bus().database
    assert "secret" not in str(caught.value)


def test_a_second_sink_of_a_database_says_who_has_it(tmp_path: Path) -> None:
    with (tmp_path / "cxbus.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "--data-dir", str(tmp_path), "--bootstrap", "127.0.0.1:1", "sink"],
            capture_output=True,
            text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("CXBUS_")},
        )
    assert Code.USAGE == done.returncode
    assert "cxbus: Another sink (process 4711) writes" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_with_a_name_that_is_no_folder_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["worker", "--name", "../0"])
    assert Code.USAGE == result.exit_code
    assert "--name '../0' is not valid: use a-z, 0-9 and hyphens, 40 at most." in result.stderr


def test_a_data_directory_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["--data-dir", str(tmp_path / "file"), "run"])
    assert Code.USAGE == result.exit_code
    assert f"{tmp_path / 'file'} can't be used: File exists." in result.stderr
