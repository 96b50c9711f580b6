"""A copy of the project in which bugs are planted, and the checks that run there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.planted.bug import Bug
from tests.planted.checks import OWN_BROKER

ROOT = Path(__file__).parents[2]
SHOWN = 2_000
"""Characters of pytest's output that are kept: the end of it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the checks said. ``failed``: node ids in order; ``hung``: the one that was under way when time was up.

    ``idle``: what was skipped, or could not be collected, and so checked nothing.
    """

    passed: int
    failed: tuple[str, ...]
    hung: str | None
    idle: tuple[str, ...]
    output: str

    @property
    def caught_by(self) -> str | None:
        """The first test that noticed something."""
        return self.failed[0] if self.failed else self.hung


class Copy:
    """All files of the project that git knows, or would, in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self.root = directory.resolve()
        self._writes = 0
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)

    @contextmanager
    def planted(self, bug: Bug) -> Iterator[None]:
        """The copy with this bug; afterwards it is as before. Raises ``OutOfDate``."""
        path = self.root / bug.file
        before, after = path.read_text(encoding="utf-8"), bug.planted(self.root)
        self._write(path, after)
        try:
            yield
        finally:
            self._write(path, before)

    def _write(self, path: Path, text: str) -> None:
        """Python takes compiled code for current when seconds and size of its source are the same: they never are."""
        path.write_text(text, encoding="utf-8")
        self._writes += 1
        moment = time.time() + 2 * self._writes
        os.utime(path, (moment, moment))

    def run(self, checks: Iterable[str], seconds: float, bootstrap: str | None, *, first: bool = True) -> Outcome:
        """Run the checks with the copy's code, in child processes too; ``first``: only up to the first failure.

        ``bootstrap``: Kafka for those that share one.
        """
        given = list(dict.fromkeys(checks))
        shared = [check for check in given if check not in OWN_BROKER]
        alone = [check for check in given if check in OWN_BROKER]
        outcome = self._pytest(shared, seconds, bootstrap, first) if shared else None
        if alone and (outcome is None or outcome.caught_by is None or not first):
            other = self._pytest(alone, seconds, None, first)
            outcome = other if outcome is None else _both(outcome, other)
        assert outcome is not None, "without checks nothing is caught"
        return outcome

    def _pytest(self, checks: Sequence[str], seconds: float, bootstrap: str | None, first: bool) -> Outcome:
        environ = {name: value for name, value in os.environ.items() if name != "CXBUS_BOOTSTRAP"}
        environ["PYTHONPATH"] = str(self.root)
        if bootstrap is not None:
            environ["CXBUS_BOOTSTRAP"] = bootstrap
        with tempfile.TemporaryDirectory() as scratch:
            notes, output = Path(scratch) / "outcomes", Path(scratch) / "output"
            notes.touch()
            command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]
            command += ["-p", "tests.planted.outcomes", "--outcomes", str(notes), "--basetemp", f"{scratch}/tests"]
            command += ["-x"] if first else []
            with output.open("wb") as told:
                tests = subprocess.Popen(
                    [*command, *checks],
                    cwd=self.root,
                    env=environ,
                    stdin=subprocess.DEVNULL,
                    stdout=told,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                in_time = _ended(tests, seconds)
            lines = [line.split(" ", 1) for line in notes.read_text(encoding="utf-8").splitlines()]
            return _outcome(lines, in_time, tests.returncode, output.read_text(encoding="utf-8", errors="replace"))


def _ended(tests: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether they ended by themselves; else they and their children (one process group) are killed."""
    try:
        tests.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    finally:
        if tests.poll() is None:
            os.killpg(tests.pid, signal.SIGKILL)
            tests.wait()
    return True


def _outcome(lines: Sequence[Sequence[str]], in_time: bool, code: int, output: str) -> Outcome:
    def those(*kinds: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(node for what, node in lines if what in kinds))

    idle = those("skipped", "broken")
    if in_time and code not in (0, 1) and not idle:
        idle = (f"pytest ended with {code}",)
    started = those("started")
    hung = None if in_time else started[-1] if started else "the start of the tests"
    return Outcome(len(those("passed")), those("failed"), hung, idle, output[-SHOWN:])


def _both(one: Outcome, other: Outcome) -> Outcome:
    return Outcome(
        one.passed + other.passed,
        one.failed + other.failed,
        one.hung or other.hung,
        one.idle + other.idle,
        one.output + other.output,
    )
