"""What the web site publishes: everything on it is the customer's own doing."""

from __future__ import annotations

from ..department import ALWAYS, Department, EventData, EventType
from ..fields import Count, Currency, Id, Money, Query, Text, Url, Word


class PageViewed(EventData):
    """The customer looked at a page."""

    url: Url
    pageType: Word | None = None
    productId: Id | None = None


class SearchPerformed(EventData):
    """The customer searched; ``results`` is how many there were."""

    query: Query
    results: Count | None = None


class ContentDownloaded(EventData):
    """The customer downloaded something to read."""

    contentId: Id
    name: Text | None = None


class CartAbandoned(EventData):
    """The customer left with a full cart."""

    cartId: Id
    total: Money | None = None
    currency: Currency | None = None


DEPARTMENT = Department(
    name="web",
    types=(
        EventType(
            name="web.page.viewed.v1",
            data=PageViewed,
            engaged=ALWAYS,
            example={"url": "https://shop.example/pricing", "pageType": "pricing", "productId": "LAMP-2"},
        ),
        EventType(
            name="web.search.performed.v1",
            data=SearchPerformed,
            engaged=ALWAYS,
            example={"query": "desk lamp", "results": 14},
        ),
        EventType(
            name="web.content.downloaded.v1",
            data=ContentDownloaded,
            engaged=ALWAYS,
            example={"contentId": "D-4", "name": "Choosing a lamp"},
        ),
        EventType(
            name="web.cart.abandoned.v1",
            data=CartAbandoned,
            engaged=ALWAYS,
            example={"cartId": "CT-8", "total": "59.80", "currency": "EUR"},
        ),
    ),
)
