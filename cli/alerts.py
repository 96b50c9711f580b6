"""``cxbus alerts``: what the departments were told, and why."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .bus import Bus, bus_of
from .database import reading
from .lines import MARKS
from .output import document, facts, note, say, shown, table
from .problem import Code, Problem
from .tail import AsJson, Count, Follow, show
from .words import details, moment, moment_of

if TYPE_CHECKING:
    from sinks.sql.answers import Alert

STATES = ("fired", "updated", "resolved", "expired", "retracted")
SHOWN = 50

app = typer.Typer(no_args_is_help=True, help="What the departments were told, and why.")


@app.command("list")
def list_(
    context: typer.Context,
    department: Annotated[str | None, typer.Option(help="Only what this department was told.")] = None,
    state: Annotated[list[str] | None, typer.Option(help=f"{', '.join(STATES)}; can be repeated.")] = None,
    customer: Annotated[str | None, typer.Option(help="A customer's id or identifier.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many at most.")] = SHOWN,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Alerts in their latest state, the latest first, as the database has them.

    Example: cxbus alerts list --department sales --state fired
    """
    from .customer import found

    bus = bus_of(context)
    wrong = [one for one in state or () if one not in STATES]
    if wrong:
        raise Problem(f"--state {wrong[0]!r} is none; there are {', '.join(STATES)}.", Code.USAGE)
    _known_department(department)
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
        note(f"There are more: -n {2 * lines} shows them.")
    else:
        note("Why? cxbus alerts explain ID")


@app.command("tail")
def tail_(
    context: typer.Context,
    department: Annotated[str | None, typer.Option(help="Only what this department is told.")] = None,
    lines: Count = 10,
    follow: Follow = True,
    json: AsJson = False,
) -> None:
    """Show the newest alerts, and go on with what comes. An alert that several departments are told is shown once.

    Example: cxbus alerts tail --department marketing
    """
    from schemas import topics

    from .lines import alert_line

    bus = bus_of(context)
    _known_department(department)
    told = bus.registry.alerted if department is None else (department,)
    names = [topics.alerts_topic(one) for one in told]
    show(bus, names, alert_line, count=lines, follow=follow, json=json)


@app.command()
def explain(
    context: typer.Context,
    alert_id: Annotated[str, typer.Argument(metavar="ALERT_ID", help="As `cxbus alerts list` shows it.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Why there is this alert: the rule, the events on which it rests, what to do, and what became of it.

    Example: cxbus alerts explain a_0123456789abcdef0123456789
    """
    bus = bus_of(context)
    with reading(bus) as reader:
        alerts = reader.alerts(alert_id=alert_id)
    if not alerts:
        raise Problem(f"There is no alert {shown(alert_id)} in the database; see `cxbus alerts list`.", Code.WRONG)
    about = _about(bus)
    if json:
        document([{**plain(alert), "about": about.get(alert.rule)} for alert in alerts])
        return
    for alert in alerts:  # more than one after a merge of two customers: each was told of it
        _explain(alert, about.get(alert.rule))


def _list(alert: Alert) -> None:
    who = alert.customer.get("name") or alert.customer_id
    head = f"{MARKS.get(alert.severity, '?')} {alert.rule} {alert.state}"
    say(
        shown(f"{moment(alert.time)}  {head}  {who} → {', '.join(alert.departments)}"),
        shown(f"    {alert.alert_id}  {alert.reason}"),
    )


def _explain(alert: Alert, about: str | None) -> None:
    name = alert.customer.get("name")
    facts(
        [
            ("alert", f"{alert.rule}, version {alert.rule_version} ({alert.severity})"),
            ("rule", about or "is not among the rules that are in force here"),
            ("customer", f"{name} ({alert.customer_id})" if name else alert.customer_id),
            ("told", ", ".join(alert.departments)),
            ("state", _state(alert)),
            ("reason", alert.reason),
            ("action", alert.action),
            ("flags", ", ".join(flag for flag in ("historical", "muted") if getattr(alert, flag))),
        ]
    )
    say("", "It rests on:")
    table(
        ("time", "event", "values", "source", "id"),
        [
            (
                moment_of(one.get("time")),
                one.get("type"),
                details(one.get("values") or {}),
                one.get("source"),
                one.get("id"),
            )
            for one in alert.evidence
        ],
    )


def _state(alert: Alert) -> str:
    """``fired 2026-03-02 15:00:00Z, expires 2026-03-16 15:00:00Z``"""
    since = f"fired {moment(alert.time)}"
    if alert.ended_at is not None:
        return f"{alert.state} {moment(alert.ended_at)}, {since}"
    if alert.state not in ("fired", "updated"):
        return f"{alert.state}, {since}"
    if alert.expires_at is None:
        return f"{since}, stands until it is resolved"
    return f"{since}, {'expires' if standing(alert) else 'expired'} {moment(alert.expires_at)}"


def standing(alert: Alert) -> bool:
    """Whether it still calls for its action: not ended, and not past its expiry, which may not have been told yet."""
    now = time.time_ns() // 1000
    return alert.state in ("fired", "updated") and (alert.expires_at is None or now < alert.expires_at)


def plain(alert: Alert) -> Mapping[str, Any]:
    """The alert with the names that it has on the bus."""
    from core.timeline.entry import rfc3339

    return {
        "alertId": alert.alert_id,
        "rule": alert.rule,
        "ruleVersion": alert.rule_version,
        "state": alert.state,
        "standing": standing(alert),
        "severity": alert.severity,
        "customerId": alert.customer_id,
        "customer": alert.customer,
        "instanceKey": alert.instance_key,
        "departments": list(alert.departments),
        "time": rfc3339(alert.time),
        "expiresAt": None if alert.expires_at is None else rfc3339(alert.expires_at),
        "endedAt": None if alert.ended_at is None else rfc3339(alert.ended_at),
        "reason": alert.reason,
        "action": alert.action,
        "evidence": alert.evidence,
        "historical": alert.historical,
        "muted": alert.muted,
    }


def _about(bus: Bus) -> dict[str, str]:
    """What each rule in force is about, by its name."""
    from agents.rule_files import load
    from agents.vocabulary import vocabulary

    rules = load(bus.rules_dir, vocabulary(bus.registry), bus.registry.outreach).rules
    return {rule.name: rule.about for rule in rules.values()}


def _known_department(name: str | None) -> None:
    if name is None:
        return
    from schemas.alerted import ALERTED

    if name not in ALERTED:
        raise Problem(f"--department {shown(name)} is told nothing; there are {', '.join(ALERTED)}.", Code.USAGE)
