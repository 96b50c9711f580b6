"""``python -m tests.planted``: plants every bug and tells which check caught it."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from deploy.broker import EmbeddedBroker
from tests.planted.bug import Bug, OutOfDate
from tests.planted.bugs import BUGS
from tests.planted.checks import OWN_BROKER, needs_kafka
from tests.planted.plant import ROOT, Copy, Outcome

CAUGHT, SURVIVED, UNUSABLE = 0, 1, 2
SECONDS = 300.0
"""For the checks of one bug: several times what they take on a busy machine."""


def main(arguments: Sequence[str] | None = None, bugs: Sequence[Bug] = BUGS) -> int:
    """0: every bug was caught; 1: at least one was not; 2: nothing can be said (list out of date, checks fail)."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description="Plant bugs and see who notices.")
    parser.add_argument("names", nargs="*", metavar="BUG", help="only these")
    parser.add_argument("--fast", action="store_true", help="only bugs whose checks need no Kafka")
    parser.add_argument("--list", action="store_true", help="say what there is, and plant nothing")
    parser.add_argument("--why", action="store_true", help="show what the failing test said")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="bugs at a time, of those without Kafka")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time limit for the checks of one bug")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - {bug.name for bug in bugs}):
        parser.error(f"no such bug: {', '.join(unknown)}")
    chosen = [
        bug for bug in bugs if (not options.names or bug.name in options.names) and (bug.fast or not options.fast)
    ]
    if options.list:
        for bug in chosen:
            _say(f"{bug.name}: {bug.means}")
        return CAUGHT
    try:
        for bug in chosen:
            bug.planted(ROOT)
    except OutOfDate as error:
        _say(str(error))
        return UNUSABLE
    with tempfile.TemporaryDirectory(prefix="planted-") as home, _kafka(chosen, Path(home)) as bootstrap:
        copies = [Copy(Path(home) / f"copy-{number}") for number in range(max(1, min(options.jobs, len(chosen))))]
        if not _sound(copies[0], chosen, options.seconds, bootstrap):
            return UNUSABLE
        began = time.monotonic()
        missed = []
        for bug, outcome, seconds in _planted(copies, chosen, options.seconds, bootstrap):
            _say(f"{bug.name:45} {seconds:5.0f} s  {_verdict(outcome)}")
            if options.why:
                _say(outcome.output)
            if outcome.caught_by is None or outcome.idle:
                missed.append(bug.name)
    _say(f"{len(chosen)} planted, {len(chosen) - len(missed)} caught, in {time.monotonic() - began:.0f} s")
    if missed:
        _say(f"nothing catches {', '.join(missed)}: a test is missing")
    return SURVIVED if missed else CAUGHT


@contextmanager
def _kafka(bugs: Sequence[Bug], home: Path) -> Iterator[str | None]:
    """One broker for all bugs, if any of their checks shares one: ``CXBUS_BOOTSTRAP``, else the embedded one."""
    given = os.environ.get("CXBUS_BOOTSTRAP")
    if given or not any(needs_kafka(check) and check not in OWN_BROKER for bug in bugs for check in bug.checks):
        yield given
        return
    with EmbeddedBroker(home / "broker") as broker:
        yield broker.bootstrap


def _sound(copy: Copy, bugs: Sequence[Bug], seconds: float, bootstrap: str | None) -> bool:
    """Whether all checks run and pass while nothing is planted."""
    began = time.monotonic()
    checks = list(dict.fromkeys(check for bug in bugs for check in bug.checks))
    outcome = copy.run(checks, seconds * max(1, len(checks)), bootstrap, first=False)
    if outcome.caught_by is None and not outcome.idle:
        _say(f"unchanged: {outcome.passed} tests of {len(checks)} checks pass, {time.monotonic() - began:.0f} s")
        return True
    _say(f"{outcome.output}\nUnchanged, the checks do not pass: {[*outcome.failed, outcome.hung, *outcome.idle]}")
    return False


def _planted(
    copies: Sequence[Copy], bugs: Sequence[Bug], seconds: float, bootstrap: str | None
) -> Iterator[tuple[Bug, Outcome, float]]:
    """What the bugs' checks say of each, and how long it took (s): a bug for each copy at a time, then those that need
    Kafka one by one.
    """
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def one(bug: Bug) -> tuple[Bug, Outcome, float]:
        began, copy = time.monotonic(), free.get()
        try:
            with copy.planted(bug):
                return bug, copy.run(bug.checks, seconds, bootstrap), time.monotonic() - began
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        yield from pool.map(one, [bug for bug in bugs if bug.fast])
    yield from map(one, [bug for bug in bugs if not bug.fast])


def _verdict(outcome: Outcome) -> str:
    if outcome.idle:
        return f"NOTHING CAN BE SAID, not run: {', '.join(outcome.idle)}"
    if outcome.failed:
        return outcome.failed[0]
    return f"a hang of {outcome.hung}" if outcome.hung else "SURVIVED"


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
