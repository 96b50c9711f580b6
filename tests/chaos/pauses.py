"""I5: how long each input partition stood still after a fault, by the broker's clock, while there was work for it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from schemas.journal import EVENT, header_of
from schemas.topics import DEAD, JOURNAL, LINKS, TIMELINE

from .log import Log, Record

OVERLAP = 1_000
"""A pause that begins less than so many ms before the next fault is counted as that one's."""
LONGEST = 120_000
"""ms after a fault in which a pause is still counted as its own."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was done to the bus, ``at`` ms since 1970: from then on it is asked to be back at work."""

    what: str
    at: int


@dataclass(slots=True)
class Stream:
    """One input partition: when its inputs came, and when outputs that come from it were written (ms, in order)."""

    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def pause(self, since: int, until: int) -> int:
        """The longest time (ms) between two outputs with work waiting, as far as it is after ``since``.

        Of pauses that begin before ``until``. An output that never came is not counted: that is a loss.
        """
        longest = 0
        index = max(0, bisect_right(self.outputs, since) - 1)
        for last, following in zip(self.outputs[index:], self.outputs[index + 1 :], strict=False):
            waiting = bisect_right(self.inputs, last)
            if last >= until or waiting == len(self.inputs):
                break
            began = max(last, self.inputs[waiting], since)
            if began < until:
                longest = max(longest, following - began)
        return longest


def streams(log: Log, events: Iterable[str]) -> dict[tuple[str, int], Stream]:
    """Of every input partition: the departments' topics ``events``, links and the journal."""
    found: defaultdict[tuple[str, int], Stream] = defaultdict(Stream)
    for place, records in log.records.items():
        if place[0] in {LINKS, JOURNAL, *events}:
            found[place].inputs += [record.timestamp for record in records]
    linked = {_origin(record) for record in log.of(LINKS)}
    for record in log.of(LINKS, JOURNAL, DEAD):
        origin = _origin(record)
        if origin:
            source, number, _ = origin.rsplit("/", 2)
            found[source, int(number)].outputs.append(record.timestamp)
            if record.topic == JOURNAL and origin in linked:
                found[LINKS, 0].outputs.append(record.timestamp)
    for (topic, partition), records in log.records.items():
        if topic == TIMELINE:
            found[JOURNAL, partition].outputs += [record.timestamp for record in records]
    for partition, instants in log.profiled.items():
        found[JOURNAL, partition].outputs += instants
    for stream in found.values():
        stream.inputs.sort()
        stream.outputs = sorted(set(stream.outputs))
    return dict(found)


class Pause(NamedTuple):
    """The longest of any partition after a mark (s), of which one, and when that mark was (ms since 1970)."""

    seconds: float
    place: tuple[str, int]
    at: int


def pauses(marks: Sequence[Mark], found: Mapping[tuple[str, int], Stream]) -> dict[str, list[Pause]]:
    """Of each kind of mark the pauses after it."""
    told: defaultdict[str, list[Pause]] = defaultdict(list)
    for number, mark in enumerate(marks):
        following = marks[number + 1].at - OVERLAP if number + 1 < len(marks) else mark.at + LONGEST
        until = max(mark.at + 1, min(following, mark.at + LONGEST))
        longest = max((stream.pause(mark.at, until), place) for place, stream in found.items())
        told[mark.what].append(Pause(longest[0] / 1000, longest[1], mark.at))
    return dict(told)


def spread(values: Sequence[float], unit: str = "s") -> str:
    """Number, least, median, nine tenths and most of some values, in words."""
    if not values:
        return "none"
    ordered = sorted(values)
    tenth = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    told = ((ordered[0], "min"), (median(ordered), "median"), (tenth, "p90"), (ordered[-1], "max"))
    return f"{len(ordered)} x, " + ", ".join(f"{name} {value:.1f}" for value, name in told) + f" {unit}"


def _origin(record: Record) -> str:
    """Which department record it comes from; empty for the journal's own."""
    headers = dict(record.headers)
    if EVENT in headers:
        return header_of(headers).origin
    told = {name.rpartition(".")[2]: value for name, value in record.headers if name.startswith("__cxbus.errors.")}
    return b"/".join((told["topic"], told["partition"], told["offset"])).decode() if told else ""
