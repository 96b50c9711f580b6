"""Does an event still cost what it cost? Counted, not timed, so that a busy machine gives the same answer.

Counted are the instructions of Python's machine that intake and journey take for fixed events, and the bytes they
write: what C code spends is not seen, and is in proportion to the bytes. ``python -m benchmarks.guard`` prints the
figures for ``RECORDED``, which holds one per version of Python.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from .inprocess import Line, published, units

T = TypeVar("T")

EVENTS, CUSTOMERS, UNIT, WARM = 2_000, 50, 100, 1_000
"""``WARM`` events are not counted: by then a customer has 20 of his 40. For every second unit of work all customers
are read from the store, as where they are many.
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one event, on average: instructions of intake and of the journey, bytes of values and headers that the journey
    writes.
    """

    intake: float
    journey: float
    bytes: float


RECORDED = {
    (3, 11): Cost(intake=423, journey=2795, bytes=1688),
    (3, 12): Cost(intake=373, journey=2563, bytes=1688),
    (3, 13): Cost(intake=377, journey=2413, bytes=1688),
}


def recorded(version: tuple[int, int]) -> Cost:
    """For that version of Python, or for the latest one before it."""
    return RECORDED[max(one for one in RECORDED if one <= version)]


def measure(home: Path) -> Cost:
    """Runs the events through a fresh line below ``home``."""
    line = Line(home)
    intake = journey = size = counted = 0
    try:
        for number, unit in enumerate(units(published(EVENTS, CUSTOMERS), UNIT)):
            if number % 2:
                line.forget()
            journal, routing = instructions(partial(line.route, unit))
            outputs, deciding = instructions(partial(line.decide, journal))
            counted += len(unit)
            if counted > WARM:
                intake, journey = intake + routing, journey + deciding
                size += sum(len(one.value or b"") + sum(len(value) for _, value in one.headers) for one in outputs)
    finally:
        line.close()
    events = counted - WARM
    return Cost(round(intake / events), round(journey / events), round(size / events))


def instructions(work: Callable[[], T]) -> tuple[T, int]:
    """What ``work`` returns, and how many instructions of Python's machine it took.

    Garbage is not collected meanwhile: whoever listens to that in Python (Hypothesis does) would be counted.
    """
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before, collecting = sys.gettrace(), gc.isenabled()
    gc.disable()
    sys.settrace(trace)
    try:
        found = work()
    finally:
        sys.settrace(before)
        if collecting:
            gc.enable()
    return found, count


def main() -> None:
    """Prints the figures of this Python."""
    with tempfile.TemporaryDirectory() as home:
        print(f"    {sys.version_info[:2]}: {measure(Path(home))},")


if __name__ == "__main__":
    main()
