"""How a bus lives and ends, as the person on call sees it.

Who stands still is started again; what no restart mends ends the bus with words; what was stopped is found again.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.health import AnnouncedProcess, announced
from cli.problem import Code
from deploy import node
from tests.integration.cli_bus import COMMAND, FEW, START, STORY, Bus, alive, running, within

pytestmark = [pytest.mark.kafka, pytest.mark.faults, pytest.mark.slow]

OTHER_KEY = "another key than the one before"


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    """A bus that knows a customer."""
    with running(tmp_path_factory.mktemp("bus")) as bus:
        bus.start()
        assert Code.OK == bus.say("send", "-", stdin="\n".join(STORY)).code
        assert within(FEW, lambda: bus.say("customer", "show", "C-1042").code == Code.OK)
        yield bus


def process(bus: Bus, name: str) -> AnnouncedProcess:
    return next(one for one in announced(bus.data_dir) if one.name == name)


@pytest.mark.parametrize("name", ["worker-0", "sink"])
def test_who_stands_still_is_seen_ended_and_started_again(bus: Bus, name: str) -> None:
    title, ill = name.replace("-", " "), process(bus, name)
    ups = bus.told().count(f"✓ {title}")
    os.kill(ill.pid, signal.SIGSTOP)
    said = bus.say("status")
    assert (Code.WRONG, True) == (said.code, "does not answer" in said.out)
    assert within(2 * FEW, lambda: f"{title} has not answered for" in bus.told()), bus.told()
    assert within(2 * FEW, lambda: bus.told().count(f"✓ {title}") > ups), bus.told()
    assert ill.pid != process(bus, name).pid
    assert within(FEW, lambda: Code.OK == bus.say("status").code), bus.say("status").out


def worker(bus: Bus, name: str, **settings: str) -> tuple[int, str]:
    """A worker of the same bus, with other settings: its exit code, and what it logged."""
    known = node.load(bus.data_dir / "kafka" / "node.json")
    assert known is not None
    environ = {one: value for one, value in os.environ.items() if not one.startswith("CXBUS_")} | {
        "CXBUS_DATA_DIR": str(bus.data_dir.parent / name),
        "CXBUS_BOOTSTRAP": known.bootstrap,
        "CXBUS_PARTITIONS": "4",
        "CXBUS_IDENTITY_KEY": (bus.data_dir / "identity.key").read_text(),
        **settings,
    }
    done = subprocess.run([*COMMAND, "worker"], env=environ, capture_output=True, text=True, timeout=START)
    return done.returncode, done.stderr


def test_a_worker_with_another_number_of_partitions_ends_for_good(bus: Bus) -> None:
    code, said = worker(bus, "five", CXBUS_PARTITIONS="5", CXBUS_APP_ID="five")
    assert (Code.USAGE, True) == (code, "cx.journal.v1 has 4 partitions, but CXBUS_PARTITIONS is 5" in said), said


def test_a_worker_with_another_key_ends_for_good(bus: Bus) -> None:
    code, said = worker(bus, "key", CXBUS_IDENTITY_KEY=OTHER_KEY, CXBUS_APP_ID="other")
    assert (Code.USAGE, True) == (code, "CXBUS_IDENTITY_KEY is not the key" in said), said


def test_a_worker_whose_directory_is_no_directory_ends_for_good(bus: Bus, tmp_path: Path) -> None:
    (tmp_path / "workers").touch()
    code, said = worker(bus, "none", CXBUS_DATA_DIR=str(tmp_path))
    assert (Code.USAGE, True) == (code, "The worker can't start: " in said), said


def test_a_bus_with_another_key_says_so_and_stops(bus: Bus) -> None:
    """Last here: it stops the one that runs."""
    assert Code.OK == bus.stop()[0]
    environ = {**bus._environ, "CXBUS_IDENTITY_KEY": OTHER_KEY}
    done = subprocess.run(
        [*COMMAND, "run"], env=environ, cwd=bus.data_dir, capture_output=True, text=True, timeout=START
    )
    assert Code.USAGE == done.returncode, done.stdout + done.stderr
    assert "The worker 0 can't continue, and a restart does not help: CXBUS_IDENTITY_KEY is not the key" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.faults
def test_ctrl_c_stops_everything_and_a_second_start_finds_it_again(tmp_path: Path) -> None:
    with running(tmp_path / "bus") as bus:
        bus.start("--workers", "2")
        assert "✓ worker 1" in bus.told()
        assert Code.OK == bus.say("send", "-", stdin="\n".join(STORY)).code
        assert within(FEW, lambda: bus.say("customer", "show", "C-1042").code == Code.OK)
        everybody = bus.pids()
        code, seconds = bus.stop()
        assert (Code.OK, True) == (code, seconds < 15)
        assert [] == [pid for pid in everybody if alive(pid)]
        assert bus.told().endswith(" s.\n")
        assert "Stopped, after" in bus.told()
        assert [] == announced(bus.data_dir)
        said = bus.say("status")
        assert Code.AWAY == said.code
        assert "Nothing is running here; start it with `cxbus run`." in said.err
        assert "Ada Lovelace" in bus.say("customer", "show", "C-1042").out

        bus.start()
        assert "✓ topics       19 " in bus.told()
        everybody = bus.pids()
        assert bus.process is not None
        bus.process.kill()
        bus.process.wait()
        assert within(FEW, lambda: not any(map(alive, everybody))), "killed, it leaves nothing behind"

        bus.start()
        assert within(FEW, lambda: bus.say("status").code == Code.OK)
        assert 0 == bus.stop(signal.SIGTERM)[0]
