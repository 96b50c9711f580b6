"""What the bus itself emits: CloudEvents of source ``/cxbus``. More fields may be added, so readers ignore the rest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from .department import Data
from .fields import Id, Instant, Text, Word

SOURCE = "/cxbus"

TIMELINE_ENTRY = "cx.timeline.entry.v1"
PROFILE_UPDATED = "cx.profile.updated.v1"
ALERT_FIRED = "cx.alert.fired.v1"
ALERT_UPDATED = "cx.alert.updated.v1"
ALERT_RESOLVED = "cx.alert.resolved.v1"
ALERT_RETRACTED = "cx.alert.retracted.v1"
IDENTITY_LINKED = "cx.identity.linked.v1"
IDENTITY_MERGED = "cx.identity.merged.v1"
IDENTITY_SPLIT = "cx.identity.split.v1"

State = Literal["fired", "updated", "resolved", "expired", "retracted"]
# The event type for each state of an alert: an expiry is published as a resolution, whose state says "expired".
ALERT_TYPES: Mapping[State, str] = MappingProxyType(
    {
        "fired": ALERT_FIRED,
        "updated": ALERT_UPDATED,
        "resolved": ALERT_RESOLVED,
        "expired": ALERT_RESOLVED,
        "retracted": ALERT_RETRACTED,
    }
)

Microseconds = Annotated[int, Field(ge=0, description="UTC microseconds since 1970")]
Version = Annotated[int, Field(ge=0, description="a whole number, 0 or more")]
Amount = Version
Opaque = Annotated[dict[str, Any], Field(description="an object")]


class KnownAs(Data):
    """An identifier of a customer: as sent on a timeline entry, masked on a profile."""

    type: Id
    value: Text


class EntryEvent(Data):
    """The department's event that an entry holds."""

    source: Text
    id: Text
    type: Text
    time: Text
    data: Opaque


class TimelineEntry(Data):
    """One event on one customer's timeline. ``at`` is its instant there, ``received`` the broker's append time.

    ``origin`` is where its department had published it: ``topic/partition/offset``.
    """

    customerId: Id
    department: Word
    event: EntryEvent
    identifiers: list[KnownAs]
    at: Microseconds
    received: Microseconds
    origin: Text | None = None
    late: bool
    moved: bool


class Score(Data):
    """A score and what it is made of."""

    value: float
    parts: Opaque | None = None


class Scores(Data):
    """The scores of a customer, those that the bus already computes."""

    health: Score | None = None
    trust: Score | None = None
    intent: Score | None = None
    fatigue: Score | None = None


class OpenMatter(Data):
    """A case, opportunity, invoice or meeting that is not finished."""

    entity: Word
    id: Id
    since: Instant


class Profile(Data):
    """What the bus knows of a customer. Its own memory is a header of the record, and not for readers.

    ``open`` lists the latest open matters, ``openCount`` counts all; ``standing`` names the rules of alerts that stand.
    """

    customerId: Id
    name: Word | None = None
    entries: Amount | None = None
    identifiers: list[KnownAs]
    tier: Word | None = None
    scores: Scores | None = None
    open: list[OpenMatter] | None = None
    openCount: Amount | None = None
    standing: list[Word] | None = None
    lastContact: Annotated[dict[str, Instant], Field(description="an object of times by department")] | None = None
    clearance: Opaque | None = None
    mergedInto: Id | None = None


class Evidence(Data):
    """An event on which an alert rests, and the values that met its conditions."""

    source: Text
    id: Text
    type: Text
    time: Text
    values: Opaque


class Alert(Data):
    """An alert for departments. ``time`` is the event time at which it fired; ``customer`` is a brief of the customer;
    ``instanceKey`` is empty if the rule has no key; ``historical`` and ``muted`` ones reach no webhook.
    """

    alertId: Id
    rule: Word
    ruleVersion: Version
    state: State
    severity: Literal["info", "warning", "critical"]
    customerId: Id
    customer: Opaque
    instanceKey: Text
    departments: list[Word]
    time: Instant
    reason: Text
    action: Text
    evidence: list[Evidence]
    expiresAt: Instant | None = None
    endedAt: Instant | None = None
    historical: bool
    muted: bool | None = None


class IdentityLinked(Data):
    """An identifier belongs to a customer. ``identifier`` is its keyed hash, never the value."""

    customerId: Id
    type: Id
    identifier: Id


class IdentityMerged(Data):
    """A customer turned out to be another, older one. ``version`` is the place in the resolver's log."""

    customerId: Id
    mergedInto: Id
    version: Version


class IdentitySplit(Data):
    """A part of a customer turned out to be someone else, who has a new id. ``version`` as for merges."""

    customerId: Id
    splitInto: Id
    version: Version


OUTPUTS: Mapping[str, type[Data]] = MappingProxyType(
    {
        TIMELINE_ENTRY: TimelineEntry,
        PROFILE_UPDATED: Profile,
        **dict.fromkeys(ALERT_TYPES.values(), Alert),
        IDENTITY_LINKED: IdentityLinked,
        IDENTITY_MERGED: IdentityMerged,
        IDENTITY_SPLIT: IdentitySplit,
    }
)
