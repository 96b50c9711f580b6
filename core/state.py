"""What the bus knows of one customer: the public profile, and under ``state`` all that a restart needs.

The document of ``cx.profiles.v1`` is this value as plain JSON-able data, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .entities import as_of
from .event import Entry, rfc3339
from .notification import Alert
from .timeline import Plan, Timeline

MOST_HELD = 2_000
"""A document that would hold more is written without its streams; they are rebuilt from the entries when needed."""

MOST_SHOWN = 100
"""Open matters that a profile lists, the latest ones; ``openCount`` says how many there are."""

SCHEMA = 1
"""The form of ``state``. A worker that meets another number is older or newer than the data and must not start."""


class UnknownSchema(Exception):
    """The document was written by another version of the bus."""


@dataclass(slots=True)
class Customer:
    """One customer. Changed in place by ``journey.step`` inside a unit of work; thrown away when that fails.

    ``last_at`` is the latest entry's instant, ``rule_at`` that of the latest entry a rule looks at (µs).
    ``arriving`` counts the parts of moves that are still to come; until then nothing is judged.
    """

    id: str
    timeline: Timeline
    name: str | None = None
    name_at: int = -1
    identifiers: list[tuple[str, str]] = field(default_factory=list)
    last_contact: dict[str, int] = field(default_factory=dict)
    entries: int = 0
    last_at: int = -1
    rule_at: int = -1
    clock: int = -1
    alerts: list[Alert] = field(default_factory=list)
    arriving: dict[str, int] = field(default_factory=dict)
    merged_into: str | None = None
    version: int = -1
    stale: bool = False

    @property
    def due(self) -> int | None:
        """The next instant at which time alone changes something (µs)."""
        ends = [alert.end for alert in self.alerts if alert.open and alert.end is not None]
        return min(ends) if ends else None

    def open_matters(self) -> list[dict[str, Any]]:
        """Open cases, invoices and opportunities, oldest first, in words a person understands."""
        plan = self.timeline.plan
        found = []
        for entity in sorted(plan.entities):
            for matter_id, past in self.timeline.matters(entity).items():
                matter = as_of(past, self.last_at)
                if matter is not None and matter.open:
                    role = plan.vocabulary[matter.changed.type].entity
                    facts = {k: v for k, v in matter.facts.items() if role is None or k != role.id_field}
                    found.append(
                        (
                            matter.changed.at,
                            {"entity": entity, "id": matter_id, "since": rfc3339(matter.changed.at)} | facts,
                        )
                    )
        return [matter for _, matter in sorted(found, key=lambda pair: (pair[0], str(pair[1]["id"])))]

    def _shown(self) -> dict[str, Any]:
        matters = self.open_matters()
        return {"open": matters[-MOST_SHOWN:], "openCount": len(matters)}

    def brief(self) -> dict[str, Any]:
        """Who it is and what is open: what a person reads before contacting the customer."""
        return {"customerId": self.id, "name": self.name, **self._shown()}

    def document(self) -> dict[str, Any]:
        """The public profile with the restart state. What is held is bounded, so that it always fits a record."""
        whole = self.timeline.size() <= MOST_HELD
        if self.merged_into is not None:
            return {
                "customerId": self.id,
                "identifiers": [],
                "mergedInto": self.merged_into,
                "state": {"schema": SCHEMA, "version": self.version, "clock": self.clock},
            }
        return {
            "customerId": self.id,
            "name": self.name,
            "identifiers": [{"type": kind, "value": shown} for kind, shown in self.identifiers],
            "entries": self.entries,
            **self._shown(),
            "lastContact": {department: rfc3339(at) for department, at in sorted(self.last_contact.items())},
            "standing": [alert.rule for alert in self.alerts if alert.open],
            "state": {
                "schema": SCHEMA,
                "plan": self.timeline.plan.digest if whole and not self.stale else None,
                "nameAt": self.name_at,
                "contactAt": self.last_contact,
                "lastAt": self.last_at,
                "ruleAt": self.rule_at,
                "clock": self.clock,
                "due": self.due,
                "streams": {
                    name: list(map(list, entries))  # of Entry's fields, in their order
                    for name, entries in self.timeline.streams.items()
                    if whole
                },
                "settled": sorted(self.timeline.settled) if whole else [],
                "since": self.timeline.since,
                "alerts": [alert_plain(alert) for alert in self.alerts],
                "arriving": self.arriving,
            },
        }


def customer_from(document: Mapping[str, Any], plan: Plan) -> Customer:
    """The customer that ``document()`` described.

    Raises ``UnknownSchema``. A document written for other rules comes back ``stale``: what is kept of its timeline
    must be rebuilt from its entries.
    """
    held = _state(document)
    if document.get("mergedInto") is not None:
        return Customer(
            document["customerId"],
            Timeline(plan),
            merged_into=document["mergedInto"],
            version=held["version"],
            clock=held["clock"],
        )
    streams = {
        name: [Entry(at, uid, kind, source, id_, data) for at, uid, kind, source, id_, data in entries]
        for name, entries in held["streams"].items()
    }
    return Customer(
        document["customerId"],
        Timeline(plan, streams, set(held["settled"]), held["since"]),
        name=document["name"],
        name_at=held["nameAt"],
        identifiers=[(known["type"], known["value"]) for known in document["identifiers"]],
        last_contact=dict(held["contactAt"]),
        entries=document["entries"],
        last_at=held["lastAt"],
        rule_at=held["ruleAt"],
        clock=held["clock"],
        alerts=[alert_from(alert) for alert in held["alerts"]],
        arriving=dict(held["arriving"]),
        stale=held["plan"] != plan.digest,
    )


def clock_of(document: Mapping[str, Any]) -> int:
    """The journal's clock as of this document (µs). Raises ``UnknownSchema``."""
    return int(_state(document)["clock"])


def _state(document: Mapping[str, Any]) -> Mapping[str, Any]:
    held: Mapping[str, Any] = document["state"]
    if held["schema"] != SCHEMA:
        raise UnknownSchema(f"a profile has state.schema {held['schema']!r}; this version of the bus knows {SCHEMA}")
    return held


def alert_plain(alert: Alert) -> dict[str, Any]:
    """The alert as plain data."""
    return {name: getattr(alert, name) for name in Alert.__dataclass_fields__}


def alert_from(plain: Mapping[str, Any]) -> Alert:
    """The alert that ``alert_plain`` wrote."""
    return Alert(**{**plain, "departments": tuple(plain["departments"]), "evidence": tuple(plain["evidence"])})
