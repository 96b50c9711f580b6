"""The sink's own speed: an empty database is filled from topics that are complete."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from .bus import copied, environment
from .contestant import Failed, Place
from .usage import Usage
from .watch import QUIET, Progress
from .worker import Sink, WorkerEnded

LOOK = 0.2


@dataclass(frozen=True, slots=True)
class Copied:
    """``records`` in ``seconds``: those after the first transaction, until the last. ``mebibytes``: the sink's memory.

    ``database``: MiB of the file with its log.
    """

    number: int
    records: int
    seconds: float
    cpu_seconds: float
    mebibytes: float
    database: float

    @property
    def records_per_second(self) -> float:
        """Written, in transactions of some thousand."""
        return self.records / self.seconds


@dataclass(slots=True)
class Count:
    """Records in the database, as the sink tells from time to time (Unix seconds)."""

    first: int = 0
    began: float = 0.0
    now: Progress | None = None

    def note(self, records: int, at: float) -> None:
        """What was found at that moment."""
        if self.now is not None:
            self.now.note(records, at)
        elif records:
            self.first, self.began, self.now = records, at, Progress(records, at)

    def done(self, behind: int, at: float) -> bool:
        """Whether nothing is left and nothing has come for some seconds."""
        return self.now is not None and not behind and at - self.now.since >= QUIET

    def copied(self) -> tuple[int, float]:
        """Records after the first that were seen, and the seconds that they took. Raises ``Failed``."""
        if self.now is None or self.now.records == self.first:
            raise Failed("there was too little to copy for a rate")
        return self.now.records - self.first, self.now.since - self.began


def copy(place: Place, number: int, say: Callable[[str], None]) -> Copied:
    """Runs a sink in ``place.home``, which must be new, until nothing is left. Raises ``Failed``."""
    count = Count()
    try:
        with Sink(place.home, environment(place)) as sink, Usage(sink.pid) as usage:
            sink.until_ready(60)
            behind = 0
            while not count.done(behind, time.time()):
                if count.now is not None and count.now.stalled(time.time()):
                    raise Failed(f"the sink stands still with {behind:,} records left")
                figures = copied(sink.figures())
                behind = round(figures["sink_behind"])
                count.note(round(figures["sink_records"]), time.time())
                time.sleep(LOOK)
            size = sum(file.stat().st_size for file in (place.home / "data").glob("cxbus.db*")) / 2**20
    except WorkerEnded as error:
        raise Failed(str(error)) from None
    finally:
        shutil.rmtree(place.home, ignore_errors=True)
    records, seconds = count.copied()
    spent = usage.spent(count.began, count.began + seconds)
    made = Copied(number, records, seconds, spent.cpu_seconds, spent.mebibytes, size)
    say(f"sink, round {number}: {records:,} records in {seconds:.1f} s, {made.records_per_second:,.0f} a second")
    return made
