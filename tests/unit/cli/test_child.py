"""A child process: how long to wait before it is started again, and what is told of its end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from cli.child import Backoff, Child
from cli.problem import Code, Problem


def ended(child: Child) -> str:
    """What ``tend`` says once the child has ended."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        words = child.restart_if_due(os.environ)
        if words:
            return words
        time.sleep(0.05)
    return pytest.fail("the child did not end")


def test_pauses_double_up_to_half_a_minute() -> None:
    backoff = Backoff()
    assert [1, 2, 4, 8, 16, 30, 30] == [backoff.after(0.1) for _ in range(7)]


def test_after_a_minute_of_life_the_first_pause_is_short_again() -> None:
    backoff = Backoff()
    assert [1, 2, 1, 2] == [backoff.after(lived) for lived in (0, 0, 60, 59)]


def test_a_child_that_ended_is_started_again_after_its_pause(tmp_path: Path) -> None:
    child = Child("one", "one", ["--version"], tmp_path)
    child.start(os.environ)
    assert f"one ended with exit code 0; restarting it in 1 s. Log: {tmp_path}/logs/one.log" == ended(child)
    assert (None, 0) == (child.pid, child.exit_code)
    assert child.restart_if_due(os.environ) is None
    assert child.pid is None
    time.sleep(1.1)
    child.restart_if_due(os.environ)
    assert child.pid is not None
    assert child.wait(time.monotonic() + 30)
    assert 2 == child.log.read_text().count("cxbus 0.")


def test_why_it_ended_is_told_in_its_own_words(tmp_path: Path) -> None:
    child = Child("one", "one", ["--data-dir", str(tmp_path), "worker"], tmp_path)
    child.start({name: value for name, value in os.environ.items() if not name.startswith("CXBUS_")})
    assert "one ended with exit code 3 (Nothing is running here; start it with `cxbus run`." in ended(child)


def test_the_reason_in_the_log_of_a_worker_is_its_last_critical_line(tmp_path: Path) -> None:
    child = Child("one", "one", [], tmp_path)
    child.log.parent.mkdir()
    child.log.write_text(
        '7\n{"level": "critical", "event": "must end", "reason": "no disk"}\n{"level": "info"}\n[oops\n'
    )
    assert "no disk" == child.last_words()


def test_a_log_that_grew_too_long_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.child.LOG_BYTES", 10)
    child = Child("one", "one", ["--version"], tmp_path)
    child.log.parent.mkdir()
    child.log.write_text("a long old log")
    child.start(os.environ)
    assert child.wait(time.monotonic() + 30)
    assert "a long old log" == (tmp_path / "logs" / "one.log.1").read_text()
    assert child.log.read_text().startswith("cxbus 0.")


def test_a_child_that_does_not_run_is_not_ready(tmp_path: Path) -> None:
    health = Child("one", "one", [], tmp_path).health()
    assert (False, "is not running") == (health.ok, health.text)


def test_a_child_that_no_restart_mends_is_not_started_again(tmp_path: Path) -> None:
    child = Child("one", "one", ["worker", "--name", "../0"], tmp_path)
    child.start(os.environ)
    with pytest.raises(
        Problem, match=r"The one can't continue, and a restart does not help: --name '\.\./0' is not valid"
    ) as caught:
        ended(child)
    assert (Code.USAGE, None) == (caught.value.code, child.pid)


def test_one_who_is_to_end_and_does_not_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.child.GRACE", 0.3)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    monkeypatch.setattr("cli.child.COMMAND", [sys.executable, "-c", deaf])
    child = Child("one", "one", [], tmp_path)
    child.start(os.environ)
    while not child.last_lines():
        time.sleep(0.05)
    child.end()
    assert "one was ended by signal 9; restarting it in 1 s" in ended(child)
