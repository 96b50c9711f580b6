"""A bus that the ``cxbus`` command has started, the verbs beside it, its processes, and a story to send."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from cli.main import app
from cli.problem import Code

START = 120.0
"""Seconds for a start; on a busy machine most of them are spent importing."""
FEW = 30.0
"""Seconds in which the bus has done what it was asked to."""
COMMAND = [sys.executable, "-m", "cli.main"]


class Said(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


class Bus:
    """``cxbus run`` in a data directory, and other verbs beside it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("CXBUS_")}
        self._environ |= {
            name: os.environ[name] for name in ("CXBUS_CACHE", "CXBUS_MAVEN_MIRROR") if name in os.environ
        }
        self._environ |= {"CXBUS_DATA_DIR": str(data_dir), "PYTHONWARNINGS": "ignore"}
        self.out = data_dir / "run.out"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Returns when it says that it runs."""
        data = self.data_dir
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [*COMMAND, "run", *options],
                stdout=out,
                stderr=out,
                env=self._environ,
                cwd=data,
                start_new_session=True,
            )
        assert within(START, lambda: "The bus runs" in self.told() or self.ended()), self.told()
        assert not self.ended(), self.told()

    def told(self) -> str:
        """What ``cxbus run`` has said."""
        return self.out.read_text()

    def published(self) -> dict[str, int]:
        """Records of each department's topic."""
        found = self.json("status")["topics"]
        return {one["topic"]: one["records"] for one in found if ".events." in one["topic"]}

    def ended(self) -> bool:
        """Whether ``cxbus run`` has ended."""
        return self.process is None or self.process.poll() is not None

    def say(self, *arguments: str, stdin: str = "") -> Said:
        """Another verb; in this process, which has imported everything already."""
        result = CliRunner().invoke(
            app, ["--data-dir", str(self.data_dir), *arguments], input=stdin, env={"CXBUS_BOOTSTRAP": None}
        )
        assert "Traceback" not in result.stderr, result.stderr
        return Said(result.exit_code, result.stdout, result.stderr)

    def unread(self, *arguments: str) -> tuple[int, str]:
        """Exit code and stderr of another verb whose output nobody reads any more."""
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [*COMMAND, *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=self._environ,
            cwd=self.data_dir,
            text=True,
            timeout=FEW,
        )
        os.close(writing)
        return done.returncode, done.stderr

    def json(self, *arguments: str) -> Any:
        """A reading verb's document."""
        said = self.say(*arguments, "--json")
        assert Code.OK == said.code, said.err
        return json.loads(said.out)

    def lines(self, *arguments: str) -> list[Any]:
        """The JSON lines of ``tail``."""
        said = self.say(*arguments, "--no-follow", "--json")
        assert Code.OK == said.code, said.err
        return [json.loads(line) for line in said.out.splitlines()]

    def pids(self) -> set[int]:
        """``cxbus run``, its children, the broker and its watchdog."""
        assert self.process is not None
        return family(self.process.pid)

    def stop(self, number: int = signal.SIGINT) -> tuple[int, float]:
        """Its exit code, and after how many seconds it ended."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(60), time.monotonic() - began

    def kill(self) -> None:
        """At the end of a test: leave nothing, whatever happened."""
        if self.process is None:
            return
        left = self.pids()
        self.process.kill()
        self.process.wait()
        for pid in left:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


def within(seconds: float, true: Callable[[], object]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.2)
    return False


def processes() -> dict[int, tuple[int, str]]:
    """Parent and state of every process."""
    rows = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    return {int(pid): (int(parent), state) for pid, parent, state in map(str.split, rows.splitlines())}


def family(pid: int) -> set[int]:
    """A process and all that descend from it."""
    known = processes()
    found = {pid}
    while more := {child for child, (parent, _) in known.items() if parent in found} - found:
        found |= more
    return found & known.keys()


def alive(pid: int) -> bool:
    return pid in (known := processes()) and not known[pid][1].startswith("Z")


def event(number: int, kind: str, hours: float, *identifiers: tuple[str, str], name: str, **data: Any) -> str:
    """A structured CloudEvent of so many hours ago."""
    known = [{"type": of, "value": value} for of, value in identifiers]
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(number),
            "source": "/test/shop",
            "type": f"{kind}.v1",
            "time": (datetime.now(UTC) - timedelta(hours=hours)).isoformat(),
            "data": {"customer": {"identifiers": known, "name": name}, **data},
        }
    )


EMAIL, NUMBER = ("email", "Ada@Example.com"), ("customer_no", "C-1042")
ADA = "Ada Lovelace"
COMPLAINT = {"caseId": "K1", "category": "complaint", "priority": "high"}
STORY = (
    event(1, "sales.order.completed", 200, NUMBER, name=ADA, orderId="O1", total="120.00", currency="EUR"),
    event(2, "web.page.viewed", 100, EMAIL, name=ADA, url="https://shop.example/lamps"),
    event(3, "service.case.opened", 9, EMAIL, NUMBER, name=ADA, **COMPLAINT),
    event(4, "marketing.campaign.sent", 5, EMAIL, name=ADA, campaignId="S1", channel="email"),
)


@contextmanager
def running(data_dir: Path) -> Iterator[Bus]:
    data_dir.mkdir(exist_ok=True)
    bus = Bus(data_dir)
    try:
        yield bus
    finally:
        bus.kill()
