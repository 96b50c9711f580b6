"""What the bus knows of one customer: the public profile, and under ``state`` all that a restart needs.

The document of ``cx.profiles.v1`` is this value as plain JSON-able data, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .bounds import VALUE_BYTES
from .entities import FIELDS, UNTOLD, Matter
from .event import Entry, rfc3339
from .evidence import EVIDENCE_BYTES
from .memory import Alert
from .notification import MOST_EXPLAINED
from .spans import FOREVER
from .timeline import Plan, Read, Timeline, as_it_is

MOST_HELD = 2_000
"""A document that would hold more is written without its streams; they are rebuilt from the entries when needed."""

MOST_TIMES = 5
"""An entry is held at most in the streams of its type and matter, of contacts and of what engaged, and as settled."""

MOST_SHOWN = 100
"""Open matters that a profile lists, the latest ones; ``openCount`` says how many there are."""

MOST_IDENTIFIERS = 100
"""Masks that a profile lists, the first by type and value; as many identifiers as one event may have."""

BEFORE_ALL = -1
"""Before every instant (µs)."""

SCHEMA = 3
"""The form of ``state``. A worker that meets another number is older or newer than the data and must not start."""


# Bytes as JSON that each of these takes at most; tests hold them to the largest there can be.
_OPEN_BYTES = 8 * 1024 + MOST_SHOWN * 512
_FIELDS_BYTES = MOST_SHOWN * (VALUE_BYTES + 72)
_MASK_BYTES = 800
_ALERT_BYTES = 2_900
_EXPLAINED_BYTES = EVIDENCE_BYTES + 64
_ARRIVING_BYTES = 96
_LEAST_ALERT_BYTES = 200

Put = Callable[[str, Any, Callable[[Any], Any]], Any]
"""How a part of a document is put down: its name, the value, and what makes plain data of that.

A value that is the same object as before has not changed: whoever writes documents can keep what he made of it.
"""


def plainly(_name: str, value: Any, plain: Callable[[Any], Any]) -> Any:
    """As plain data."""
    return plain(value)


class UnknownSchema(Exception):
    """The document was written by another version of the bus."""


@dataclass(slots=True)
class Customer:
    """One customer. Changed in place by ``journey.step`` inside a unit of work; thrown away when that fails.

    ``entries`` and ``last_at`` (µs), the latest entry's instant, leave out notes; ``rule_at`` is the instant of the
    latest entry a rule looks at.
    ``arriving`` counts the parts of moves that are still to come; until then nothing is judged. ``unjudged``: the last
    part came, and its judgement failed. Matches up to ``settled_until`` (µs) are decided for good.
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
    clock: int = BEFORE_ALL
    until: int = BEFORE_ALL
    alerts: list[Alert] = field(default_factory=list)
    closed: Any = ()
    """Alerts of long ago, which only a late event can concern: a tuple, or as they were written down, for ``read``."""
    read: Read = as_it_is
    settled_until: int = BEFORE_ALL
    arriving: dict[str, int] = field(default_factory=dict)
    unjudged: bool = False
    merged_into: str | None = None
    version: int = -1
    stale: bool = False
    written: dict[str, tuple[Any, Any]] = field(default_factory=dict, compare=False, repr=False)
    """For whoever writes the document: parts and what was made of them. The core does not look at it."""

    @property
    def is_new(self) -> bool:
        """No record was about them yet."""
        return self.clock == BEFORE_ALL

    @property
    def due(self) -> int | None:
        """The next instant at which time alone changes something (µs)."""
        ends = [alert.end for alert in self.alerts if alert.open and alert.end is not None]
        return min(ends) if ends else None

    def know(self, masks: Iterable[tuple[str, str]]) -> None:
        """These are the customer's, too."""
        known = self.identifiers
        room = len(known) < MOST_IDENTIFIERS
        if new := {mask for mask in masks if mask not in known and (room or mask < known[-1])}:
            self.identifiers = sorted([*known, *new])[:MOST_IDENTIFIERS]

    @property
    def closed_at_most(self) -> int:
        """How many alerts are closed, or more when nobody has read them yet."""
        return len(self.closed) // _LEAST_ALERT_BYTES if isinstance(self.closed, bytes) else len(self.closed)

    def bytes_at_most(self) -> int:
        """More bytes than ``document(whole=False)`` takes as JSON: a quick look at whether it fits a record."""
        alerts = len(self.alerts)
        size = _OPEN_BYTES + self.timeline.plan.matter_fields * _FIELDS_BYTES + len(self.identifiers) * _MASK_BYTES
        if alerts:
            size += alerts * _ALERT_BYTES + min(alerts, MOST_EXPLAINED) * _EXPLAINED_BYTES
        if self.closed:
            size += self.closed_at_most * _ALERT_BYTES
        return size + len(self.arriving) * _ARRIVING_BYTES

    def awake(self) -> list[Alert]:
        """All alerts, the closed ones first."""
        return [*self.past_alerts(), *self.alerts]

    def past_alerts(self) -> Sequence[Alert]:
        """Those that are closed."""
        if not isinstance(self.closed, tuple):
            self.closed = tuple(alert_from(plain) for plain in self.read(self.closed))
        return self.closed

    def _closed(self, closed: Any) -> Any:
        return [alert_plain(alert) for alert in closed] if isinstance(closed, tuple) else self.read(closed)

    def _shown(self, matters: Sequence[tuple[str, str, Matter]]) -> list[dict[str, Any]]:
        """Open cases, invoices and opportunities in words a person understands."""
        shown = []
        for entity, matter_id, matter in matters[-MOST_SHOWN:]:
            role = self.timeline.plan.vocabulary[matter.changed.type].entity
            own = UNTOLD if role is None else UNTOLD | {role.id_field}
            facts = {name: value for name, value in matter.facts.items() if name not in own and name in FIELDS[entity]}
            shown.append({"entity": entity, "id": matter_id, "since": rfc3339(matter.changed.at)} | facts)
        return shown

    def _matters(self, put: Put) -> dict[str, Any]:
        if self.timeline.shown is not None:
            part, number = self.timeline.shown
            return {"open": put("open", part, self.timeline.read), "openCount": number}
        matters = self.timeline.open()
        return {"open": put("open", matters, self._shown), "openCount": len(matters)}

    def _streams(self, put: Put) -> dict[str, Any]:
        timeline, written = self.timeline, {}
        for name in timeline.plan.needs:
            if name in timeline.streams:
                written[name] = put(name, timeline.streams[name], _rows)
            elif name in timeline.sealed:
                written[name] = put(name, timeline.sealed[name], timeline.read)
        return written

    def brief(self, put: Put = plainly) -> dict[str, Any]:
        """Who it is and what is open: what a person reads before contacting the customer."""
        return {"customerId": self.id, "name": self.name, **self._matters(put)}

    def document(self, put: Put = plainly, *, whole: bool = True) -> dict[str, Any]:
        """The public profile with the restart state. All of it is bounded but the streams, in bytes: what is not
        ``whole`` goes without them.
        """
        timeline = self.timeline
        whole = whole and (MOST_TIMES * self.entries <= MOST_HELD or timeline.size() <= MOST_HELD)
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
            "identifiers": put("identifiers", self.identifiers, _listed),
            "entries": self.entries,
            **self._matters(put),
            "lastContact": put("lastContact", self.last_contact, _readable),
            "standing": [alert.rule for alert in self.alerts if alert.open],
            "state": {
                "schema": SCHEMA,
                "plan": timeline.plan.digest if whole and not self.stale else None,
                "nameAt": self.name_at,
                "contactAt": self.last_contact,
                "lastAt": self.last_at,
                "ruleAt": self.rule_at,
                "clock": self.clock,
                "until": self.until,
                "due": self.due,
                "streams": self._streams(put) if whole else {},
                "settled": timeline.settled if whole else "",
                "since": timeline.since if whole else -FOREVER,
                "alerts": [put(alert.id, alert, alert_plain) for alert in self.alerts],
                "closed": put("closed", self.closed, self._closed),
                "settledUntil": self.settled_until,
                "arriving": self.arriving,
                "unjudged": self.unjudged,
            },
        }


def customer_from(document: Mapping[str, Any], plan: Plan, read: Read = as_it_is) -> Customer:
    """The customer that ``document()`` described.

    What is large may still be encoded, for ``read`` to read when it is needed: each stream, each alert, the closed ones
    together, what is ``open``. Raises ``UnknownSchema``. A document written for other rules comes back ``stale``: what
    is kept of its timeline must be rebuilt from its entries.
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
    shown = document["open"], document["openCount"]
    return Customer(
        document["customerId"],
        Timeline(plan, dict(held["streams"]), read, held["settled"], held["since"], shown),
        name=document["name"],
        name_at=held["nameAt"],
        identifiers=[(known["type"], known["value"]) for known in document["identifiers"]],
        last_contact=dict(held["contactAt"]),
        entries=document["entries"],
        last_at=held["lastAt"],
        rule_at=held["ruleAt"],
        clock=held["clock"],
        until=held["until"],
        alerts=[alert_from(read(alert)) for alert in held["alerts"]],
        closed=held["closed"],
        read=read,
        settled_until=held["settledUntil"],
        arriving=dict(held["arriving"]),
        unjudged=held["unjudged"],
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


def _readable(instants: Mapping[str, int]) -> dict[str, str]:
    return {department: rfc3339(at) for department, at in sorted(instants.items())}


def _listed(identifiers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"type": kind, "value": shown} for kind, shown in identifiers]


def _rows(entries: Iterable[Entry]) -> list[list[Any]]:
    """Of each the fields, in their order."""
    return list(map(list, entries))


def alert_plain(alert: Alert) -> dict[str, Any]:
    """The alert as plain data, without what goes without saying."""
    plain = alert._asdict()
    for name, default in Alert._field_defaults.items():
        if plain[name] == default:
            del plain[name]
    return plain


def alert_from(plain: Mapping[str, Any]) -> Alert:
    """The alert that ``alert_plain`` wrote."""
    told = {"departments": tuple(plain["departments"]), "evidence": tuple(plain.get("evidence", ()))}
    return Alert(**{**plain, **told})
