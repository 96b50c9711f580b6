"""What programs and their children use of the machine, from ``/proc``: CPU seconds, and resident memory.

A JVM's compilers are counted apart: they are busy in a program's first minutes only, whatever it does.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, Self

LOOK = 0.1
"""Seconds between two looks. CPU at a moment in between is interpolated."""

KNOWN = 10
"""Looks at the same processes until new ones are searched for: reading about all that run costs milliseconds."""

CALM = 0.1
"""Of a processor: who uses less is at rest."""

CALM_SECONDS = 5.0
CHILD = 5.0
"""Seconds for a watchdog to start what it watches over."""

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


COMPILERS = ("C1 CompilerThre", "C2 CompilerThre")
"""The names that Linux shows of a JVM's threads that compile."""


class Sample(NamedTuple):
    """``at``: Unix seconds; ``cpu``: seconds since the program began, ``compiling``: those of them that JVMs' compilers
    took; ``resident``: bytes.
    """

    at: float
    cpu: float
    resident: int
    compiling: float = 0.0


class Stat(NamedTuple):
    """What ``/proc/<pid>/stat`` says of a process or a thread: its parent, its name, and CPU in ticks. ``ticks``: with
    that of children who ended, which each thread of a process says again; ``own``: without it.
    """

    pid: int
    parent: int
    ticks: int
    pages: int
    own: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a program used in a window of time. ``cpu_seconds``: without ``compiling_seconds``, which JVMs' compilers
    took. ``mebibytes``: the most resident memory, from its start on.
    """

    cpu_seconds: float
    mebibytes: float
    compiling_seconds: float = 0.0


def parse_stat(line: str) -> Stat:
    """One line of proc_pid_stat(5). The name in it may hold blanks and brackets."""
    begin, _, rest = line.rpartition(")")
    pid, _, name = begin.partition(" (")
    fields = rest.split()
    own, ended = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
    return Stat(int(pid), int(fields[1]), own + ended, int(fields[21]), own, name)


def family(stats: Sequence[Stat], *pids: int) -> list[Stat]:
    """The processes and their descendants."""
    wanted = set(pids)
    found: list[Stat] = []
    left = list(stats)
    while True:
        more = [stat for stat in left if stat.pid in wanted or stat.parent in wanted]
        if not more:
            return found
        found += more
        wanted |= {stat.pid for stat in more}
        left = [stat for stat in left if stat.pid not in wanted]


def between(samples: Sequence[Sample], begin: float, end: float) -> Spent:
    """What was used from ``begin`` to ``end`` (Unix seconds). Raises ``ValueError`` without samples."""
    if not samples:
        raise ValueError("nothing was measured")
    cpu, compiling = (_at(samples, end, of) - _at(samples, begin, of) for of in (_CPU, _COMPILING))
    return Spent(cpu - compiling, max(sample.resident for sample in samples) / 2**20, compiling)


_CPU, _COMPILING = attrgetter("cpu"), attrgetter("compiling")


def _at(samples: Sequence[Sample], at: float, of: Callable[[Sample], float]) -> float:
    after = bisect_left(samples, at, key=lambda sample: sample.at)
    if after in (0, len(samples)):
        return of(samples[min(after, len(samples) - 1)])
    one, other = samples[after - 1], samples[after]
    return of(one) + (of(other) - of(one)) * (at - one.at) / (other.at - one.at)


class Usage:
    """Looks at programs and their children, in a thread, while the ``with`` block runs. ``samples`` are in order."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name=f"usage-{pids}", daemon=True)
        self.samples: list[Sample] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        self._thread.join()

    def spent(self, begin: float, end: float) -> Spent:
        """See ``between``."""
        return between(self.samples, begin, end)

    def _look(self) -> None:
        known: list[int] = []
        compilers: list[Thread] = []
        ticks: dict[Thread, int] = {}  # of compilers, also of those that have ended
        for turn in count():
            anew = turn % KNOWN == 0
            if anew:
                known = _running(PROC)
            stats = family(list(_stats(known, PROC)), *self._pids)
            known = [stat.pid for stat in stats]
            if anew:
                compilers = [thread for pid in known for thread in _compilers(pid)]
            for thread in compilers:
                for stat in _stats([thread.tid], _threads(thread.pid)):
                    ticks[thread] = stat.own
            if stats:
                cpu, pages = sum(stat.ticks for stat in stats), sum(stat.pages for stat in stats)
                compiling = sum(ticks.values()) / TICKS
                self.samples.append(Sample(time.time(), cpu / TICKS, pages * PAGE, compiling))
            if self._over.wait(LOOK):
                return


def child_of(pid: int) -> int:
    """The process that ``pid`` has started to watch over it. Raises ``ProcessLookupError`` when there is none."""
    until = time.monotonic() + CHILD
    while time.monotonic() < until:
        if found := [stat.pid for stat in _stats(_running(PROC), PROC) if stat.parent == pid]:
            return found[0]
        time.sleep(0.02)
    raise ProcessLookupError(f"process {pid} has no child")


def calm(pid: int, patience: float) -> bool:
    """Returns once the program has been at rest for some seconds: true; or after ``patience`` seconds: false.

    A broker still cleans and writes to the disk what it was given a minute ago.
    """
    until = time.monotonic() + patience
    while time.monotonic() < until:
        with Usage(pid) as usage:
            began = time.time()
            time.sleep(CALM_SECONDS)
        if usage.spent(began, time.time()).cpu_seconds < CALM * CALM_SECONDS:
            return True
    return False


def _running(folder: Path) -> list[int]:
    return [int(entry.name) for entry in folder.iterdir() if entry.name.isdigit()]


class Thread(NamedTuple):
    """A thread of a process."""

    pid: int
    tid: int


def _compilers(pid: int) -> Iterator[Thread]:
    """The threads of that process that compile, if it is a JVM."""
    with suppress(FileNotFoundError, ProcessLookupError):  # it may have just ended
        if (PROC / str(pid) / "comm").read_text().strip() == "java":
            threads = _stats(_running(_threads(pid)), _threads(pid))
            yield from (Thread(pid, stat.pid) for stat in threads if stat.name in COMPILERS)


def _threads(pid: int) -> Path:
    return PROC / str(pid) / "task"


def _stats(pids: Iterable[int], folder: Path) -> Iterator[Stat]:
    for pid in pids:
        try:
            yield parse_stat((folder / str(pid) / "stat").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
