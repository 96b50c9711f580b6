"""``cxbus alerts list``: alerts in their latest state."""

from __future__ import annotations

from typing import Annotated

import typer

from sinks.sql.answers import Alert

from ..alert_document import plain
from ..bus import bus_of
from ..database import reading
from ..lines import MARKS
from ..lookup import found
from ..output import document, note, say, shown
from ..problem import Code, Problem
from ..words import moment
from .department import check

STATES = ("fired", "updated", "resolved", "expired", "retracted")
SHOWN = 50


def list_(
    context: typer.Context,
    department: Annotated[str | None, typer.Option(help="Only alerts that this department received.")] = None,
    state: Annotated[list[str] | None, typer.Option(help=f"{', '.join(STATES)}; can be repeated.")] = None,
    customer: Annotated[str | None, typer.Option(help="A customer's id or identifier.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Show at most this many alerts.")] = SHOWN,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """List the alerts in the database with their latest state, newest first.

    Example: cxbus alerts list --department sales --state fired
    """
    bus = bus_of(context)
    wrong = [one for one in state or () if one not in STATES]
    if wrong:
        raise Problem(f"--state {wrong[0]!r} is not a state; the states are {', '.join(STATES)}.", Code.USAGE)
    check(bus, department)
    with reading(bus) as reader:
        who = None if customer is None else found(bus, reader, customer).customer_id
        alerts = reader.alerts(customer_id=who, department=department, states=state, limit=lines + 1)
    if json:
        document([plain(alert) for alert in alerts[:lines]])
        return
    if not alerts:
        say("No alerts.")
        return
    for alert in alerts[:lines]:
        _list(alert)
    if len(alerts) > lines:
        note(f"There are more alerts: -n {2 * lines} shows them.")
    else:
        note("cxbus alerts explain ID says why an alert was sent.")


def _list(alert: Alert) -> None:
    who = alert.customer.get("name") or alert.customer_id
    head = f"{MARKS.get(alert.severity, '?')} {alert.rule} {alert.state}"
    say(
        shown(f"{moment(alert.time)}  {head}  {who} → {', '.join(alert.departments)}"),
        shown(f"    {alert.alert_id}  {alert.reason}"),
    )
