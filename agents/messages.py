"""What the bus says, as CloudEvents in bytes: timeline entries and alerts."""

from __future__ import annotations

from collections.abc import Mapping

from core.arrival import Written
from core.event import rfc3339
from core.notification import Said
from schemas.outputs import ALERT_TYPES, SOURCE, TIMELINE_ENTRY

from .cloud_event import cloud_event
from .heard import Source
from .records import Header

MOST_BYTES = 1_400_000
"""Of a record's value: below a batch's 1.5 MB, with room for key and headers. What is written is bounded so that it
fits (ADR 23); what would not is a decision that failed.
"""

STRUCTURED = (("content-type", b"application/cloudevents+json"),)


def timeline_entry(customer: bytes, key: bytes, written: Written, department: str, source: Source) -> bytes:
    """The entry around the department's event, whose bytes are taken as they are: a valid JSON object.

    The other texts are the bus's own and need no escaping, but for the identifiers, of which only type and value are
    repeated.
    """
    at = written.entry.at
    return _ENTRY % (
        key,
        rfc3339(at).encode(),
        customer,
        department.encode(),
        at,
        source.identifiers,
        _TRUTH[written.late],
        _TRUTH[source.moved],
        source.received,
        source.origin,
        source.event,
    )


_TRUTH = (b"false", b"true")
_ENTRY = (
    b'{"specversion":"1.0","id":"%s","source":"'
    + SOURCE.encode()
    + b'","type":"'
    + TIMELINE_ENTRY.encode()
    + b'","time":"%s","datacontenttype":"application/json","data":{"customerId":"%s","department":"%s","at":%d,'
    b'"identifiers":%s,"late":%s,"moved":%s,"received":%s,"origin":"%s","event":%s}}'
)


def timeline_headers(matter: bytes, stood_at: int | None) -> tuple[Header, ...]:
    """What a restore need not read the entry for: the matter that it is about, if any, and, of an entry that is written
    again, the instant (µs) at which it stood.
    """
    headers: tuple[Header, ...] = STRUCTURED
    if matter:
        headers += ((MATTER, matter),)
    if stood_at is not None:
        headers += ((STOOD_AT, b"%d" % stood_at),)
    return headers


MATTER, STOOD_AT = "matter", "stood-at"


def alert(said: Said, customer: str, brief: Mapping[str, object], place: str, appended: int) -> bytes:
    """The message about an alert. ``brief``: who the customer is, and what is open; ``place``: ``<journal
    partition>-<offset>`` of the record that led to it, which the journal had at ``appended`` (µs).
    """
    told = said.alert
    name = told.id
    data: dict[str, object] = {
        "alertId": name,
        "rule": told.rule,
        "ruleVersion": told.version,
        "state": said.state,
        "severity": told.severity,
        "customerId": customer,
        "customer": brief,
        "instanceKey": told.key,
        "departments": told.departments,
        "time": rfc3339(told.time),
        "reason": said.reason,
        "action": said.action,
        "evidence": said.evidence,
        "historical": told.historical,
    }
    if told.expires is not None:
        data["expiresAt"] = rfc3339(told.expires)
    if said.state in ("resolved", "expired") and told.end is not None:
        data["endedAt"] = rfc3339(told.end)
    return cloud_event(ALERT_TYPES[said.state], f"{name}/{customer}/{said.state}/{place}", appended, data)
