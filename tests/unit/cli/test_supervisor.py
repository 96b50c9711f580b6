"""What a supervisor hands to its children, and that there is one for each data directory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.health import supervised
from cli.problem import Code, Problem
from cli.steps import SilentSteps
from cli.supervisor import Supervisor, environment, interruptible, uninterrupted
from runtime.settings import Settings


def settings(data_dir: Path, **more: object) -> Settings:
    return Settings.model_validate({"data_dir": data_dir, **more})


def test_children_work_with_exactly_the_settings_of_their_supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(
        tmp_path, phone_region="GB", blocked_identifiers=["0800", "x,y"], workers=3, rules_dir=Path("my-rules")
    )
    for name, value in environment(given, "127.0.0.1:9", {}).items():
        monkeypatch.setenv(name, value)
    found = Settings()
    expected = given.model_copy(
        update={
            "bootstrap": "127.0.0.1:9",
            "partitions": 4,
            "identity_key": found.identity_key,
            "rules_dir": Path("my-rules").absolute(),
        }
    )
    assert expected == found
    assert given.key() == found.key()


def test_the_rest_of_the_environment_is_handed_on(tmp_path: Path) -> None:
    made = environment(settings(tmp_path), "k:1", {"HOME": "/home/ada", "CXBUS_BOOTSTRAP": "old:1"})
    assert ("/home/ada", "k:1") == (made["HOME"], made["CXBUS_BOOTSTRAP"])


def test_a_cluster_without_partitions_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="CXBUS_PARTITIONS is not set"):
        environment(settings(tmp_path, bootstrap="k:1"), "k:1", {})


def test_every_child_has_ops_pages_of_its_own(tmp_path: Path) -> None:
    def ports(ops_port: int) -> list[str]:
        supervisor = Supervisor(settings(tmp_path, workers=2, ops_port=ops_port), SilentSteps())
        return [supervisor.environment_of(number)["CXBUS_OPS_PORT"] for number in range(len(supervisor.children))]

    assert ["9000", "9001", "9002"] == ports(9000)
    assert ["0", "0", "0"] == ports(0)


def test_a_data_directory_has_one_supervisor(tmp_path: Path) -> None:
    hold = (
        "import sys, fcntl; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX);"
        "file.write(sys.argv[2]); file.flush(); print('held', flush=True); sys.stdin.read()"
    )
    lock = tmp_path / "supervisor.lock"
    note = json.dumps({"pid": os.getpid(), "children": ["worker-0", "sink"]})
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(lock), note], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert b"held\n" == holder.stdout.readline()
        with pytest.raises(Problem, match=rf"already running here \(process {os.getpid()}\)") as caught:
            Supervisor(settings(tmp_path), SilentSteps()).start()
        holder.communicate()
    assert Code.USAGE == caught.value.code


def test_who_supervises_is_known_as_long_as_it_lives(tmp_path: Path) -> None:
    assert supervised(tmp_path) is None
    (tmp_path / "supervisor.lock").write_text(json.dumps({"pid": os.getpid(), "children": ["sink"]}))
    found = supervised(tmp_path)
    assert found is not None
    assert ("sink",) == found.children
    (tmp_path / "supervisor.lock").write_text(json.dumps({"pid": 2**22 + 1, "children": ["sink"]}))
    assert supervised(tmp_path) is None


def test_a_request_to_end_is_an_interruption_and_not_heard_while_stopping() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interruptible():
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert before == signal.getsignal(signal.SIGTERM)


def test_under_nohup_a_closed_terminal_is_no_interruption() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.SIG_IGN == signal.getsignal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


class Told(SilentSteps):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.troubles: list[str] = []

    def trouble(self, words: str) -> None:
        self.troubles.append(words)


class Stand:
    """A supervisor of one child, a process of our own with ops pages; no Kafka."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
        (tmp_path / "child.py").write_text(CHILD + program)
        self.told = Told()
        self.supervisor = Supervisor(
            settings(tmp_path, bootstrap="127.0.0.1:1", partitions=1, identity_key="k" * 16), self.told
        )
        self.supervisor.children = self.supervisor.children[:1]
        monkeypatch.setattr(self.supervisor, "_apply_topics", lambda: None)
        monkeypatch.setattr("cli.child.COMMAND", [sys.executable, str(tmp_path / "child.py"), str(tmp_path)])

    def until(self, words: str) -> None:
        """Returns once a trouble with these words was told."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if any(words in one for one in self.told.troubles):
                return
            time.sleep(0.05)
        pytest.fail(f"{words!r} was not among {self.told.troubles}")


CHILD = """
import os, pathlib, signal, sys, time
from prometheus_client import CollectorRegistry
from runtime.ops import Health, OpsPages, announce

def pages(live):
    shown = OpsPages(CollectorRegistry(), lambda: live, lambda: Health(True, "4 journal partitions"))
    announce(pathlib.Path(sys.argv[1], "run"), "worker-0", os.getpid(), shown.url)

"""


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (
            "pages(Health(False, 'last heartbeat 42.0 s ago')); time.sleep(60)",
            "has been stuck (last heartbeat 42.0 s ago) for",
        ),
        ("pages(Health(True, '')); os.kill(os.getpid(), signal.SIGSTOP)", "has not answered for"),
    ],
    ids=["refuses", "is silent"],
)
def test_a_child_that_stands_still_is_ended_and_started_again(
    program: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (
        ("liveness.REFUSED", 0.5),
        ("supervisor.PULSE", 0.1),
        ("supervisor.PATIENCE", 0.2),
        ("child.GRACE", 0.5),
    ):
        monkeypatch.setattr(f"cli.{name}", seconds)
    stand = Stand(tmp_path, monkeypatch, f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{program}")
    with stand.supervisor:
        stand.until(words)
        stand.until("worker 0 was ended by signal 9; restarting it")


def test_what_no_restart_mends_stops_the_bus_with_the_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it runs: at the start it is the same."""
    critical = '{"level": "critical", "reason": "CXBUS_IDENTITY_KEY is not the key"}'
    program = f"pages(Health(True, '')); time.sleep(1); print({critical!r}, flush=True); os._exit(2)"
    stand = Stand(tmp_path, monkeypatch, program)
    with stand.supervisor:
        stand.supervisor.wait_ready()
        with pytest.raises(Problem, match="worker 0 can't continue, and a restart does not help: CXBUS_ID") as caught:
            stand.supervisor.wait()
    assert Code.USAGE == caught.value.code
