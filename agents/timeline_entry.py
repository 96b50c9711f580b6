"""An entry of the timeline as a CloudEvent in bytes, and what its record's headers say."""

from __future__ import annotations

from core.arrival import Written
from core.event import rfc3339
from schemas.outputs import SOURCE, TIMELINE_ENTRY

from . import stored_entry
from .heard import Source
from .messages import STRUCTURED
from .records import Header


def timeline_entry(
    customer: bytes, key: bytes, written: Written, department: str, source: Source
) -> tuple[bytes, bytes]:
    """The entry around the department's event, whose bytes are taken as they are: a valid JSON object. And the end of
    it, as it is stored.

    The other texts are the bus's own and need no escaping, but for the identifiers, of which only type and value are
    repeated.
    """
    at, stored = written.entry.at, stored_entry.kept(source.received, source.origin, source.event)
    value = _ENTRY % (
        key,
        rfc3339(at).encode(),
        customer,
        department.encode(),
        at,
        source.identifiers,
        _TRUTH[written.late],
        _TRUTH[source.moved],
        stored,
    )
    return value, stored


_TRUTH = (b"false", b"true")
_ENTRY = (
    b'{"specversion":"1.0","id":"%s","source":"'
    + SOURCE.encode()
    + b'","type":"'
    + TIMELINE_ENTRY.encode()
    + b'","time":"%s","datacontenttype":"application/json","data":{"customerId":"%s","department":"%s","at":%d,'
    b'"identifiers":%s,"late":%s,"moved":%s,"received":%s}}'
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
