"""Follows topics: prints the newest records, then new ones; as lines for people or as JSON lines."""

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
"""How many message ids are kept to skip copies of an alert on other departments' topics."""

Line = Callable[[Record], str]
CountOption = Annotated[int, typer.Option("--lines", "-n", min=0, help="Show this many of the newest first.")]
Follow = Annotated[bool, typer.Option(help="Follow new records until Ctrl-C.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines: one record each.")]


def show(bus: Bus, topics: Sequence[str], line: Line, *, count: int, follow: bool, json: bool) -> None:
    """Print records of ``topics``; an alert that is on several topics is printed once."""
    from .feed import Feed  # imports kafka-python, which the help does not need

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
    """A filter that skips foreign records on the bus's own topics, and prints a note about the first.

    Records of a newer version of the bus pass.
    """

    def __init__(self) -> None:
        self._told = False

    def __call__(self, record: Record) -> bool:
        if record.topic in (DEAD, events_topic(department_of(record.topic))):
            return True  # departments' records and dead letters hold anything
        try:
            ours = is_ours(record)
        except Newer:
            return True
        if not ours and not self._told:
            note(f"{record.topic}/{record.partition}/{record.offset} was not written by the bus: skipped.")
            self._told = True
        return ours


class _Once:
    """A filter that skips alert messages it has seen; all other records pass."""

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
