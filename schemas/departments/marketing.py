"""What marketing publishes."""

from __future__ import annotations

from typing import Literal

from ..department import Department, EventData, EventType
from ..fields import Id, Text, Url, Word


class CampaignSent(EventData):
    """A campaign's message went to the customer; without a purpose it is a promotion."""

    campaignId: Id
    campaignName: Text | None = None
    channel: Word
    messageId: Id | None = None
    purpose: Literal["promotion", "survey", "service"] | None = None


class EmailOpened(EventData):
    """A mail was opened; ``machine``: by a program that fetches mail, as far as the mailing system can tell."""

    messageId: Id | None = None
    campaignId: Id | None = None
    machine: bool | None = None


class EmailClicked(EventData):
    """Somebody followed a link in a mail; ``machine``: not the customer, but a program that looks for harmful links."""

    messageId: Id | None = None
    campaignId: Id | None = None
    url: Url
    machine: bool | None = None


class EmailUnsubscribed(EventData):
    """The customer wants no more mail of a list."""

    campaignId: Id | None = None
    listId: Id | None = None


class EmailMarkedAsSpam(EventData):
    """The customer reported a mail as spam."""

    campaignId: Id | None = None
    messageId: Id | None = None


class ConsentChanged(EventData):
    """The customer allowed or forbade a purpose on a channel."""

    channel: Word
    purpose: Word
    status: Literal["granted", "revoked"]


DEPARTMENT = Department(
    name="marketing",
    outreach=True,
    types=(
        EventType(
            name="marketing.campaign.sent.v1",
            data=CampaignSent,
            outbound={"purpose": ("promotion", "survey")},
            defaults={"purpose": "promotion"},
            example={
                "campaignId": "S-1",
                "campaignName": "Spring",
                "channel": "email",
                "messageId": "MSG-1",
                "purpose": "promotion",
            },
        ),
        EventType(
            name="marketing.email.opened.v1",
            data=EmailOpened,
            example={"messageId": "MSG-1", "campaignId": "S-1"},
        ),
        EventType(
            name="marketing.email.clicked.v1",
            data=EmailClicked,
            engaged={"machine": (False,)},
            defaults={"machine": False},
            example={"messageId": "MSG-1", "campaignId": "S-1", "url": "https://shop.example/spring", "machine": False},
        ),
        EventType(
            name="marketing.email.unsubscribed.v1",
            data=EmailUnsubscribed,
            example={"campaignId": "S-1", "listId": "news"},
        ),
        EventType(
            name="marketing.email.marked_as_spam.v1",
            data=EmailMarkedAsSpam,
            example={"campaignId": "S-1", "messageId": "MSG-1"},
        ),
        EventType(
            name="marketing.consent.changed.v1",
            data=ConsentChanged,
            example={"channel": "email", "purpose": "promotion", "status": "revoked"},
        ),
    ),
)
