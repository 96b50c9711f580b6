"""What social networks and review sites publish."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..department import ALWAYS, Department, EventData, EventType
from ..fields import Count, Text, Url, Word


class MentionPosted(EventData):
    """The customer spoke of the company in public; ``sentiment`` from -1 (bad) to 1 (good), if anybody judged it."""

    network: Word
    url: Url | None = None
    sentiment: Annotated[float, Field(ge=-1, le=1, description="a number from -1 to 1")] | None = None
    text: Text | None = None
    reach: Count | None = None


class ReviewPosted(EventData):
    """The customer rated the company in public."""

    site: Word
    rating: Annotated[float, Field(ge=1, le=5, description="a number from 1 to 5")]
    url: Url | None = None
    text: Text | None = None


DEPARTMENT = Department(
    name="social",
    types=(
        EventType(
            name="social.mention.posted.v1",
            data=MentionPosted,
            engaged=ALWAYS,
            example={
                "network": "mastodon",
                "url": "https://social.example/@ada/1",
                "sentiment": 0.6,
                "text": "They replaced my lamp within a day.",
                "reach": 250,
            },
        ),
        EventType(
            name="social.review.posted.v1",
            data=ReviewPosted,
            engaged=ALWAYS,
            example={
                "site": "reviews.example",
                "rating": 4.5,
                "url": "https://reviews.example/r/9",
                "text": "Good lamps, better service.",
            },
        ),
    ),
)
