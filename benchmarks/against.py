"""This tree against another checkout: what an event costs in process, unit of work by unit of work.

``python -m benchmarks.against ../other``: two processes do the same units in turns, so that whatever else happens on
the machine hits both alike; what counts is the median of the units' ratios. Measured is with this tree's programs, also
what the other tree does.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import orjson

from .elsewhere import measuring
from .machine import commit
from .race import in_turn
from .table import markdown
from .worker import ROOT

HEADINGS = ("CPU µs an event", "other", "this", "this ÷ other", "half of the units", "")


class Ended(Exception):
    """A tree's program has ended before its time. The message has the end of what it said."""


@dataclass(frozen=True, slots=True)
class Unit:
    """CPU seconds of a unit of work of so many events."""

    events: int
    intake: float
    journey: float

    @property
    def both(self) -> float:
        """The whole of it."""
        return self.intake + self.journey


@dataclass(frozen=True, slots=True)
class Compared:
    """The same units in both trees. ``same``: whether they wrote the same."""

    this: Sequence[Unit]
    other: Sequence[Unit]
    same: bool


class Side:
    """A program of this tree's benchmarks at work with the modules of ``tree``, told and heard by lines.

    The ``with`` block ends it.
    """

    def __init__(self, tree: Path, program: str, settings: Mapping[str, str]) -> None:
        self._stack = ExitStack()
        self._told = dict(settings)
        self._tree = tree
        self._program = program

    def __enter__(self) -> Side:
        self._log = self._stack.enter_context(tempfile.TemporaryFile("w+"))
        environment = self._stack.enter_context(measuring(self._tree))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"benchmarks.{self._program}"],
            env={**environment, **self._told},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.terminate()
        self._process.communicate()
        self._stack.close()

    def hear(self) -> Any:
        """The next line. Raises ``Ended``."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            raise Ended(f"{self._tree} ended with {self._process.returncode}:\n{self._log.read()[-2_000:]}")
        return orjson.loads(line)

    def ask(self) -> Any:
        """The answer to one more line. Raises ``Ended``."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.hear()


def compared(other: Path, work: argparse.Namespace) -> Compared:
    """All units in turns, in every second one the other way round. Raises ``Ended``."""
    settings = {f"CXBUS_BENCH_{name.upper()}": str(getattr(work, name)) for name in ("events", "customers", "unit")}
    found: dict[Path, list[Unit]] = {ROOT: [], other: []}
    with ExitStack() as stack:
        sides = [(tree, stack.enter_context(Side(tree, "stepwise", settings))) for tree in found]
        count = min(side.hear()["units"] for _, side in sides)
        for number in range(count):
            for tree, side in in_turn(sides, number):
                found[tree].append(Unit(**side.ask()))
        written = {side.hear()["written"] for _, side in sides}
    return Compared(found[ROOT], found[other], len(written) == 1)


def table(found: Compared) -> str:
    """Means of the costs, medians and quartiles of the units' ratios."""
    stages = ("intake", "journey", "both")
    return markdown(HEADINGS, [_line(stage, found) for stage in stages])


def _line(stage: str, found: Compared) -> Sequence[str]:
    costs = [(getattr(other, stage), getattr(this, stage)) for other, this in zip(found.other, found.this, strict=True)]
    events = sum(one.events for one in found.this)
    ratios = [this / other for other, this in costs]
    low, _, high = quantiles(ratios, n=4)
    return (
        stage,
        f"{1e6 * sum(other for other, _ in costs) / events:.1f}",
        f"{1e6 * sum(this for _, this in costs) / events:.1f}",
        f"{median(ratios):.3f}",
        f"{low:.3f}",
        f"{high:.3f}",
    )


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The settings of a run."""
    told = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__)
    add = told.add_argument
    add("other", type=Path, help="the other checkout's directory")
    add("--events", type=int, default=100_000, help="of all units together")
    add("--customers", type=int, default=2_000, help="who have them")
    add("--unit", type=int, default=1_000, help="records of a unit of work")
    return told.parse_args(arguments)


def main() -> None:
    """Prints the figures."""
    work = parsed(sys.argv[1:])
    other: Path = work.other.resolve()
    found = compared(other, work)
    written = "the same" if found.same else "different records"
    print(
        f"{work.events:,} events of {work.customers:,} customers, {len(found.this)} units of {work.unit:,} in turns. "
        f"This is {commit()}, the other {commit(other)}; they write {written}.\n\n{table(found)}"
    )


if __name__ == "__main__":
    main()
