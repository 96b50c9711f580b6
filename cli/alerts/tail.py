"""``cxbus alerts tail``: alerts as departments receive them."""

from __future__ import annotations

from typing import Annotated

import typer

from schemas.topics import alerts_topic

from ..bus import bus_of
from ..lines import alert_line
from ..tailing import AsJson, CountOption, Follow, show
from .department import check


def tail(
    context: typer.Context,
    department: Annotated[str | None, typer.Option(help="Only alerts that this department receives.")] = None,
    lines: CountOption = 10,
    follow: Follow = True,
    json: AsJson = False,
) -> None:
    """Show the newest alerts, then follow new ones. An alert for several departments is shown once.

    Example: cxbus alerts tail --department marketing
    """
    bus = bus_of(context)
    check(bus, department)
    told = bus.registry.alerted if department is None else (department,)
    names = [alerts_topic(one) for one in told]
    show(bus, names, alert_line, count=lines, follow=follow, json=json)
