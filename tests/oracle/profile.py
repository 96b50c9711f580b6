"""What a reader finds in a profile and in the brief of an alert (vocabulary: what the bus emits)."""

from __future__ import annotations

from typing import Any

from .contacts import department, is_contact
from .customer import Customer
from .entry import rfc3339
from .identifiers import Key, identifiers
from .matters import Matter, open_matters

MOST_SHOWN = 100
MOST_IDENTIFIERS = 100
KNOWN = {
    "case": ("category",),
    "invoice": ("total", "currency", "dueDate"),
    "opportunity": ("stage", "name"),
}
"""What a reader is told of an open matter, beside its id and since when."""


def profile(customer: Customer, region: str | None, key: Key) -> dict[str, Any]:
    """The public part of the document."""
    if customer.into is not None:
        return {"customerId": customer.id, "identifiers": [], "mergedInto": customer.into}
    entries = customer.history().entries
    masks = [key.mask(one) for e in entries if "customer" in e.data for one in identifiers(e.data, region)]
    known = sorted({(m["type"], m["value"]) for m in masks})
    contacts = sorted((department(e), e.at) for e in entries if is_contact(e))
    return {
        **brief(customer),
        "identifiers": [{"type": kind, "value": value} for kind, value in known[:MOST_IDENTIFIERS]],
        "entries": len(entries),
        "lastContact": {name: rfc3339(at) for name, at in contacts},
        "standing": sorted(alert.match.rule for alert in customer.notified.alerts if alert.standing),
    }


def brief(customer: Customer) -> dict[str, Any]:
    """Id, name, open matters."""
    T = customer.history()
    names = [(e.at, e.data["customer"]["name"]) for e in T.entries if e.data.get("customer", {}).get("name")]
    matters = open_matters(T, T.entries[-1].at) if T.entries else []
    return {
        "customerId": customer.id,
        "name": max(names)[1] if names else None,
        "open": [_shown(matter) for matter in matters[-MOST_SHOWN:]],
        "openCount": len(matters),
    }


def _shown(matter: Matter) -> dict[str, Any]:
    facts = {name: matter.facts[name] for name in KNOWN[matter.entity] if matter.facts.get(name) is not None}
    return {"entity": matter.entity, "id": matter.id, "since": rfc3339(matter.changed.at), **facts}
