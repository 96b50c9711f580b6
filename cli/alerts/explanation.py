"""``cxbus alerts explain``: why there is an alert."""

from __future__ import annotations

from typing import Annotated

import typer

from sinks.sql.answers import Alert

from ..alert_document import plain, standing
from ..bus import bus_of
from ..database import reading
from ..output import document, say, shown
from ..problem import Code, Problem
from ..tables import facts, table
from ..words import details, moment, moment_of


def explain(
    context: typer.Context,
    alert_id: Annotated[str, typer.Argument(metavar="ALERT_ID", help="Id of the alert; `cxbus alerts list` shows it.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Explain an alert: its rule, the events that are its evidence, the recommended action, and its state.

    Example: cxbus alerts explain a_0123456789abcdef0123456789
    """
    bus = bus_of(context)
    with reading(bus) as reader:
        alerts = reader.alerts(alert_id=alert_id)
    if not alerts:
        raise Problem(f"There is no alert {shown(alert_id)} in the database; see `cxbus alerts list`.", Code.WRONG)
    from ..rules_in_force import rules  # imports the YAML parser, which the help does not need

    about = {rule.name: rule.about for rule in rules(bus).rules.values()}
    if json:
        document([{**plain(alert), "about": about.get(alert.rule)} for alert in alerts])
        return
    for alert in alerts:  # more than one after a merge: the alert was sent for both customers
        _explain(alert, about.get(alert.rule))


def _explain(alert: Alert, about: str | None) -> None:
    name = alert.customer.get("name")
    facts(
        [
            ("alert", f"{alert.rule}, version {alert.rule_version} ({alert.severity})"),
            ("rule", about or "not among the rules in force on this machine"),
            ("customer", f"{name} ({alert.customer_id})" if name else alert.customer_id),
            ("sent to", ", ".join(alert.departments)),
            ("state", _state(alert)),
            ("reason", alert.reason),
            ("action", alert.action),
            ("flags", ", ".join(flag for flag in ("historical", "muted") if getattr(alert, flag))),
        ]
    )
    say("", "Evidence:")
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
        return f"{since}, active until it is resolved"
    return f"{since}, {'expires' if standing(alert) else 'expired'} {moment(alert.expires_at)}"
