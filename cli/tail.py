"""``cxbus tail``: prints the newest records of the bus's topics, and follows them."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import Annotated

import typer

from schemas import topics

from .bus import Bus, bus_of
from .lines import alert_line, dead_line, event_line, profile_line, timeline_line
from .names import Names
from .output import shown
from .problem import Code, Problem
from .tailing import AsJson, CountOption, Follow, Line, show


def tail(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="WHAT", help="timeline, alerts, dead, profiles, or a department.")],
    lines: CountOption = 10,
    follow: Follow = True,
    json: AsJson = False,
) -> None:
    """Show the newest records of one kind, then follow new ones.

    WHAT is timeline (what happened to customers), alerts, dead (what could not be used), profiles, or a department:
    then what it publishes.

    Example: cxbus tail timeline -n 20 --no-follow
    """
    bus = bus_of(context)
    names_of_topics, line = _of(bus, what)
    with closing(Names(bus)) as names:
        if line is timeline_line:
            line = partial(timeline_line, names=names)
        show(bus, names_of_topics, line, count=lines, follow=follow, json=json)


def _of(bus: Bus, what: str) -> tuple[list[str], Line]:
    sources: dict[str, tuple[list[str], Line]] = {
        "timeline": ([topics.TIMELINE], timeline_line),
        "alerts": ([topics.alerts_topic(department) for department in bus.registry.alerted], alert_line),
        "dead": ([topics.DEAD], dead_line),
        "profiles": ([topics.PROFILES], profile_line),
    }
    for source in bus.registry.sources:
        sources[source.name] = ([topics.events_topic(source.name)], event_line)
    if what not in sources:
        raise Problem(f"There is no {shown(what)} to tail; choose one of {', '.join(sources)}.", Code.USAGE)
    return sources[what]
