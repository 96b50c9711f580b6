"""``cxbus customer``: who a customer is, what is open, and what happened last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from core.timeline.entry import rfc3339
from sinks.sql.answers import Alert, Customer, Entry

from .alert_document import plain as plain_alert
from .alert_document import standing
from .bus import bus_of
from .database import reading
from .lookup import CUSTOMER, found
from .output import document, note, say, shown
from .tables import facts, table
from .words import count, details, happening, matters, moment, moment_of, named


def show(
    context: typer.Context,
    who: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="An id, or an identifier like email:ada@example.com, C-1042.")
    ],
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Show at most this many timeline entries.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show one customer: identifiers, open matters, active alerts, and the timeline, newest first.

    The id of a merged customer shows the customer that it was merged into.

    Example: cxbus customer show ada@example.com
    """
    bus = bus_of(context)
    with reading(bus) as reader:
        customer = found(bus, reader, who)
        entries = reader.timeline(customer.customer_id, limit=lines) if lines else []
        alerts = [one for one in reader.alerts(customer_id=customer.customer_id, limit=1000) if standing(one)]
    if json:
        document(
            {
                **customer.document,
                "standing": [plain_alert(alert) for alert in alerts],
                "timeline": [_plain_entry(entry) for entry in entries],
            }
        )
        return
    _who(customer, alerts, asked=who)
    _timeline(customer, entries)


def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Part of the name.")],
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Show at most this many customers.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Find customers by a part of their name. `cxbus customer show` finds one by an identifier.

    Example: cxbus customer search lovelace
    """
    with reading(bus_of(context)) as reader:
        customers = reader.search(text, limit=lines)
    if json:
        document([customer.document for customer in customers])
        return
    if not customers:
        say(f"No customer's name contains {shown(text)!r}.")
        return
    table(
        ("name", "id", "known as", "open"),
        [
            (
                customer.name or "?",
                customer.customer_id,
                named(customer.document.get("identifiers") or ()),
                ", ".join(f"{matter['entity']} {matter['id']}" for matter in customer.document.get("open") or ()),
            )
            for customer in customers
        ],
    )
    if len(customers) == lines:
        note(f"There may be more customers: -n {2 * lines} shows them.")


def _who(customer: Customer, alerts: Sequence[Alert], asked: str) -> None:
    said = customer.document
    merged = f" (which {asked} was merged into)" if asked.startswith(CUSTOMER) and asked != customer.customer_id else ""
    contacts = sorted((said.get("lastContact") or {}).items(), key=lambda pair: str(pair[1]), reverse=True)
    facts(
        [
            ("name", customer.name or "unknown"),
            ("id", customer.customer_id + merged),
            ("known as", named(said.get("identifiers") or ())),
            ("tier", customer.tier),
            ("open", matters(said.get("open") or ()) or "nothing"),
            ("alerts", "\n".join(_alert(alert) for alert in alerts) or "none active"),
            ("last contact", ", ".join(f"{name} {moment_of(at)}" for name, at in contacts) or "none"),
        ]
    )


def _alert(alert: Alert) -> str:
    return f"{alert.rule} ({alert.severity}): {alert.reason}\n→ {alert.action} ({alert.alert_id})"


def _timeline(customer: Customer, entries: Sequence[Entry]) -> None:
    total = customer.document.get("entries")
    if not entries:
        return
    newest = f", the newest {len(entries)}" if isinstance(total, int) and total > len(entries) else ""
    say("", f"Timeline: {count(total, 'entry') if total == 1 else f'{total} entries'}{newest}")
    table(
        ("time", "department", "what", "", ""),
        [
            (
                moment(entry.at),
                entry.department,
                happening(entry.type),
                details(entry.data),
                " ".join(flag for flag in ("late", "moved") if getattr(entry, flag)),
            )
            for entry in entries
        ],
    )


def _plain_entry(entry: Entry) -> Mapping[str, Any]:
    return {
        "uid": entry.uid,
        "department": entry.department,
        "type": entry.type,
        "time": entry.time,
        "at": rfc3339(entry.at),
        "source": entry.source,
        "id": entry.event_id,
        "data": entry.data,
        "late": entry.late,
        "moved": entry.moved,
    }
