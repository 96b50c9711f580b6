"""Following topics: the newest records line by line, then what comes; for people or as JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer

from engine.kafka.mark import Newer, is_ours
from engine.kafka.record import Record
from schemas.topics import DEAD, department_of, events_topic

from .bus import Bus
from .lines import message_id, plain
from .output import json_line, note, say, shown

REMEMBERED = 10_000
"""Alerts of which copies on other departments' topics are passed over."""

Line = Callable[[Record], str]
Count = Annotated[int, typer.Option("--lines", "-n", min=0, help="How many to begin with.")]
Follow = Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines: one record each.")]


def show(bus: Bus, topics: Sequence[str], line: Line, *, count: int, follow: bool, json: bool) -> None:
    """Print records of ``topics``; each alert once, on however many topics it is."""
    from .feed import Feed  # kafka-python, which the help can do without

    with Feed(bus.bootstrap(), topics) as feed:
        once, ours = _Once(), _Ours()
        newest = [record for record in feed.newest(count * len(topics)) if ours(record) and once(record)]
        _print(newest[len(newest) - count :] if count < len(newest) else newest, line, json=json)
        if follow:
            try:
                _print(filter(once, filter(ours, feed.follow())), line, json=json)
            except KeyboardInterrupt:
                return


class _Ours:
    """Says of each record whether its writer may be believed: on the bus's own topics only the bus; tells of the first.

    What a later version of the bus wrote is shown as well as it goes.
    """

    def __init__(self) -> None:
        self._told = False

    def __call__(self, record: Record) -> bool:
        if record.topic in (DEAD, events_topic(department_of(record.topic))):
            return True  # whatever comes from departments
        try:
            ours = is_ours(record)
        except Newer:
            return True
        if not ours and not self._told:
            note(f"{record.topic}/{record.partition}/{record.offset} is not the bus's: passed over (cxbus dead list).")
            self._told = True
        return ours


class _Once:
    """Says of each record whether its message was not seen before; records that are no alerts always pass."""

    def __init__(self) -> None:
        self._seen: dict[str, None] = {}

    def __call__(self, record: Record) -> bool:
        if not record.topic.startswith("cx.alerts."):
            return True
        name = message_id(record)
        if name in self._seen:
            return False
        self._seen[name] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True


def _print(records: Iterable[Record], line: Line, *, json: bool) -> None:
    for record in records:
        if json:
            json_line(_plain_record(record))
        else:
            say(shown(line(record)))


def _plain_record(record: Record) -> Mapping[str, Any]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": None if record.key is None else record.key.decode(errors="replace"),
        "headers": {name: (value or b"").decode(errors="replace") for name, value in record.headers},
        "value": plain(record.value),
    }
