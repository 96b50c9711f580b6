"""``cxbus customer``: who a customer is, what is open, what happened last; what to know before a call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .alerts import plain as plain_alert
from .alerts import standing
from .bus import Bus, bus_of
from .database import reading
from .output import document, facts, note, say, shown, table
from .problem import Code, Problem
from .words import count, details, happening, matters, moment, moment_of, named

if TYPE_CHECKING:
    from sinks.sql.answers import Alert, Customer, Entry
    from sinks.sql.reader import Reader

app = typer.Typer(no_args_is_help=True, help="Customers: who they are, and what happened to them.")

_CUSTOMER = "c_"
"""Begins the id of every customer."""


@app.command("show")
def show(
    context: typer.Context,
    who: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="An id, or an identifier like email:ada@example.com, C-1042.")
    ],
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How much of the timeline.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Everything about one customer: who, what is open, which alerts stand, and the timeline, newest first.

    An id that was merged into another shows the customer who lives on.

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


@app.command()
def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A part of the name.")],
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many at most.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Find customers by a part of their name. By an identifier: `cxbus customer show`.

    Example: cxbus customer search lovelace
    """
    with reading(bus_of(context)) as reader:
        customers = reader.search(text, limit=lines)
    if json:
        document([customer.document for customer in customers])
        return
    if not customers:
        say(f"Nobody's name has {shown(text)!r} in it.")
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
        note(f"There may be more: -n {2 * lines} shows them.")


def found(bus: Bus, reader: Reader, who: str) -> Customer:
    """The customer of an id or an identifier. Raises ``Problem`` when there is none."""
    customer = reader.customer(who) if who.startswith(_CUSTOMER) else None
    if customer is not None:
        return customer
    from agents.identifiers import Identifiers

    settings = bus.settings
    identifiers = Identifiers(
        settings.key(), settings.phone_region, settings.blocked_identifiers, settings.identifier_types
    )
    for kind, value in _guesses(who, settings.identifier_types):
        hashed = identifiers.hash(kind, value)
        customer = reader.customer_of(f"i/{hashed}") if hashed is not None else None
        if customer is not None:
            return customer
    raise Problem(
        f"Nobody here is known as {shown(who)}. An identifier must be whole (email:ada@example.com, phone:+44…, "
        f"customer_no:C-1042); `cxbus customer search` finds parts of names.",
        Code.WRONG,
    )


def _guesses(who: str, own: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What an identifier may be, the likeliest first: as it says itself, else by its looks."""
    from schemas.identifier_types import RANKS

    kind, colon, value = who.partition(":")
    if colon and re.fullmatch("[a-z][a-z0-9_]*", kind):
        yield kind, value
    yield from ((kind, who) for kind in (*RANKS, *own))


def _who(customer: Customer, alerts: Sequence[Alert], asked: str) -> None:
    said = customer.document
    merged = (
        f" (which {asked} was merged into)" if asked.startswith(_CUSTOMER) and asked != customer.customer_id else ""
    )
    contacts = sorted((said.get("lastContact") or {}).items(), key=lambda pair: str(pair[1]), reverse=True)
    facts(
        [
            ("name", customer.name or "not known"),
            ("id", customer.customer_id + merged),
            ("known as", named(said.get("identifiers") or ())),
            ("tier", customer.tier),
            ("open", matters(said.get("open") or ()) or "nothing"),
            ("alerts", "\n".join(_alert(alert) for alert in alerts) or "none stands"),
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
    from core.timeline.entry import rfc3339

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
