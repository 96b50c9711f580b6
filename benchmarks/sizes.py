"""``python -m benchmarks.sizes``: what a customer's record on cx.profiles.v1 takes, as it is written to Kafka.

Customers of the usual traffic have all their entries in the days that the rules look back. The bytes are those of key,
value and headers before compression, without Kafka's own frame of each record. State is what only the bus reads: the
value's member or the header of that name.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import orjson

from agents.identifiers import Identifiers
from engine.transactional.transaction import Output, headers_of

from .bus import KEY
from .history import models
from .inprocess import NOW
from .stage import numbers
from .table import markdown

STATE = "state"
HEADINGS = ("entries", "whole record", "of it state", "the rest", "largest record")


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of a record; ``state`` of all that only the bus reads."""

    whole: int
    state: int


def size_of(profile: Output) -> Size:
    """What the record takes."""
    value = profile.value or b""
    headers = headers_of(profile)
    packed = {name: len(name.encode()) + len(held) for name, held in headers}
    member = _state_in(orjson.loads(value))
    inside = 0 if member is None else len(f',"{STATE}":') + len(orjson.dumps(member))
    return Size(len(profile.key or b"") + len(value) + sum(packed.values()), inside + packed.get(STATE, 0))


def _state_in(value: dict[str, dict[str, object]]) -> object:
    return value.get(STATE, value["data"].get(STATE))


def measured(entries: int, customers: int, days: float, until: int) -> list[Size]:
    """The records of so many customers with so many entries each, all in the days before ``until`` (µs)."""
    lived = models(Identifiers(KEY.encode()), entries, until, days, customers)
    return [size_of(one.profile) for one in lived]


def table(found: dict[int, list[Size]]) -> str:
    """Medians by number of entries."""
    return markdown(HEADINGS, list(_lines(found)))


def _lines(found: dict[int, list[Size]]) -> Iterator[Sequence[str]]:
    for entries, sizes in found.items():
        yield (
            f"{entries:,}",
            f"{median(one.whole for one in sizes):,.0f}",
            f"{median(one.state for one in sizes):,.0f}",
            f"{median(one.whole - one.state for one in sizes):,.0f}",
            f"{max(one.whole for one in sizes):,}",
        )


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The settings of a run."""
    told = argparse.ArgumentParser(prog="python -m benchmarks.sizes", description=__doc__)
    add = told.add_argument
    add("--entries", type=numbers, default=(5, 28, 50), help="of each customer")
    add("--customers", type=int, default=32, help="of each kind")
    add("--days", type=float, default=7.0, help="in which their entries are: as far as the rules look back")
    return told.parse_args(arguments)


def main() -> None:
    """Prints the figures."""
    options = parsed(sys.argv[1:])
    found = {count: measured(count, options.customers, options.days, NOW) for count in options.entries}
    print(f"Bytes, medians of {options.customers} customers, entries of {options.days:g} days\n\n{table(found)}")


if __name__ == "__main__":
    main()
