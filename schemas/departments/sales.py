"""What sales publishes."""

from __future__ import annotations

from typing import Annotated, Literal

from ..department import ALWAYS, Department, EntityRole, EventData, EventType
from ..fields import Amount, Currency, Date, Id, Instant, Items, Money, Seconds, Word, without_sign

Bought = Annotated[Amount, without_sign("what came back is a finance.credit.issued.v1")]


class OpportunityCreated(EventData):
    """A chance to sell something has come up."""

    opportunityId: Id
    name: Word | None = None
    stage: Word
    amount: Money | None = None
    currency: Currency | None = None
    closeDate: Date | None = None
    ownerId: Id | None = None


class OpportunityStageChanged(EventData):
    """An opportunity moved on; the stages "won" and "lost" close it."""

    opportunityId: Id
    stage: Word
    amount: Money | None = None
    currency: Currency | None = None


class MeetingScheduled(EventData):
    """A meeting was agreed or moved."""

    meetingId: Id
    startTime: Instant
    purpose: Word | None = None
    opportunityId: Id | None = None
    ownerId: Id | None = None


class MeetingCancelled(EventData):
    """A meeting will not take place."""

    meetingId: Id


class CallCompleted(EventData):
    """A telephone call ended, reached or not."""

    callId: Id
    direction: Literal["inbound", "outbound"]
    outcome: Literal["answered", "voicemail", "no_answer", "busy", "wrong_number"] | None = None
    durationSeconds: Seconds | None = None
    ownerId: Id | None = None


class BriefViewed(EventData):
    """Somebody read the customer's brief."""

    viewerId: Id
    meetingId: Id | None = None


class OrderCompleted(EventData):
    """The customer bought."""

    orderId: Id
    total: Bought
    currency: Currency
    items: Items | None = None


DEPARTMENT = Department(
    name="sales",
    outreach=True,
    types=(
        EventType(
            name="sales.opportunity.created.v1",
            data=OpportunityCreated,
            entity=EntityRole(
                entity="opportunity", id_field="opportunityId", role="opens", closes_when={"stage": ("won", "lost")}
            ),
            example={
                "opportunityId": "OP-7",
                "name": "Second site",
                "stage": "qualified",
                "amount": "12000.00",
                "currency": "EUR",
                "closeDate": "2026-06-30",
                "ownerId": "rep-3",
            },
        ),
        EventType(
            name="sales.opportunity.stage_changed.v1",
            data=OpportunityStageChanged,
            entity=EntityRole(
                entity="opportunity", id_field="opportunityId", role="changes", closes_when={"stage": ("won", "lost")}
            ),
            example={"opportunityId": "OP-7", "stage": "won", "amount": "11500.00", "currency": "EUR"},
        ),
        EventType(
            name="sales.meeting.scheduled.v1",
            data=MeetingScheduled,
            entity=EntityRole(entity="meeting", id_field="meetingId", role="opens"),
            example={
                "meetingId": "M-31",
                "startTime": "2026-03-09T14:00:00+01:00",
                "purpose": "renewal",
                "opportunityId": "OP-7",
                "ownerId": "rep-3",
            },
        ),
        EventType(
            name="sales.meeting.cancelled.v1",
            data=MeetingCancelled,
            entity=EntityRole(entity="meeting", id_field="meetingId", role="closes"),
            example={"meetingId": "M-31"},
        ),
        EventType(
            name="sales.call.completed.v1",
            data=CallCompleted,
            outbound={"direction": ("outbound",)},
            answered={"outcome": ("answered",)},
            engaged={"direction": ("inbound",)},
            example={
                "callId": "CALL-5",
                "direction": "outbound",
                "outcome": "voicemail",
                "durationSeconds": 42,
                "ownerId": "rep-3",
            },
        ),
        EventType(
            name="sales.brief.viewed.v1",
            data=BriefViewed,
            example={"viewerId": "rep-3", "meetingId": "M-31"},
        ),
        EventType(
            name="sales.order.completed.v1",
            data=OrderCompleted,
            engaged=ALWAYS,
            example={
                "orderId": "O-2201",
                "total": "129.90",
                "currency": "EUR",
                "items": [{"sku": "LAMP-2", "quantity": 1}],
            },
        ),
    ),
)
