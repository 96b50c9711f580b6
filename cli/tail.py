"""``cxbus tail``: what is being said on the bus, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .bus import Bus, bus_of
from .lines import alert_line, dead_line, event_line, message_id, plain, profile_line, timeline_line
from .names import Names
from .output import json_line, note, say, shown
from .problem import Code, Problem

if TYPE_CHECKING:
    from engine.kafka.record import Record

REMEMBERED = 10_000
"""Alerts of which copies on other departments' topics are passed over."""

Line = Callable[["Record"], str]
Count = Annotated[int, typer.Option("--lines", "-n", min=0, help="How many to begin with.")]
Follow = Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines: one record each.")]


def tail(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="WHAT", help="timeline, alerts, dead, profiles, or a department.")],
    lines: Count = 10,
    follow: Follow = True,
    json: AsJson = False,
) -> None:
    """Show the newest of what is said on the bus, and go on with what comes.

    WHAT is timeline (what happened to customers), alerts, dead (what could not be used), profiles, or a department:
    then what it publishes.

    Example: cxbus tail timeline -n 20 --no-follow
    """
    bus = bus_of(context)
    topics, line = _of(bus, what)
    with closing(Names(bus)) as names:
        if line is timeline_line:
            line = partial(timeline_line, names=names)
        show(bus, topics, line, count=lines, follow=follow, json=json)


def show(bus: Bus, topics: Sequence[str], line: Line, *, count: int, follow: bool, json: bool) -> None:
    """Print records of ``topics``; each alert once, on however many topics it is."""
    from .feed import Feed

    with Feed(bus.bootstrap(), topics) as feed:
        once, ours = _Once(), _Ours()
        newest = [record for record in feed.newest(count * len(topics)) if ours(record) and once(record)]
        _print(newest[len(newest) - count :] if count < len(newest) else newest, line, json=json)
        if follow:
            try:
                _print(filter(once, filter(ours, feed.follow())), line, json=json)
            except KeyboardInterrupt:
                return


def _of(bus: Bus, what: str) -> tuple[list[str], Line]:
    from schemas import topics

    sources: dict[str, tuple[list[str], Line]] = {
        "timeline": ([topics.TIMELINE], timeline_line),
        "alerts": ([topics.alerts_topic(department) for department in bus.registry.alerted], alert_line),
        "dead": ([topics.DEAD], dead_line),
        "profiles": ([topics.PROFILES], profile_line),
    }
    for source in bus.registry.sources:
        sources[source.name] = ([topics.events_topic(source.name)], event_line)
    if what not in sources:
        raise Problem(f"There is no {shown(what)} to tail; there is {', '.join(sources)}.", Code.USAGE)
    return sources[what]


class _Ours:
    """Says of each record whether its writer may be believed: on the bus's own topics only the bus; tells of the first.

    What a later version of the bus wrote is shown as well as it goes.
    """

    def __init__(self) -> None:
        self._told = False

    def __call__(self, record: Record) -> bool:
        from engine.kafka.mark import Newer, is_ours
        from schemas.topics import DEAD, department_of, events_topic

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


def _print(records: Iterable[Record] | Iterator[Record], line: Line, *, json: bool) -> None:
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
