"""A steady stream of events as they happen now, among them pairs of which the second fires an alert for certain.

A pair is a fresh complaint, and a campaign to the same customer a second later: a campaign of its own each, so that no
cooldown keeps the alert back. The others are the usual traffic of other customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from math import ceil
from typing import NamedTuple

from core.timeline.entry import SECOND
from schemas.topics import events_topic
from tests.chaos.business import cloud_event

from .traffic import Published, customer_no

RULE = "campaign-during-complaint"
GAP = 1.0
"""Seconds from the complaint to the campaign: department topics have no common order, so the complaint comes first."""

POOL = 20_000
"""Customers of pairs: each has one every few minutes."""


class Due(NamedTuple):
    """An event to be published ``after`` seconds; ``fires``: the key of the alert that must follow, if one must."""

    after: float
    event: Published
    fires: str | None = None


class Pairs:
    """Makes the pairs' events. Their customers are numbered from ``first`` on."""

    def __init__(self, first: int) -> None:
        self._first = first

    def complaint(self, pair: int, after: float, begin: int) -> Due:
        """Due ``after`` seconds after ``begin`` (µs)."""
        data = {"caseId": f"PK{pair}", "category": "complaint", "priority": "high"}
        return Due(after, self._event(pair, begin + int(after * SECOND), "service.case.opened.v1", data))

    def campaign(self, pair: int, after: float, begin: int) -> Due:
        """Fires, when it comes after the complaint of the same pair."""
        data = {"campaignId": f"P{pair}", "channel": "email", "purpose": "promotion"}
        event = self._event(pair, begin + int(after * SECOND), "marketing.campaign.sent.v1", data)
        return Due(after, event, f"P{pair}")

    def _event(self, pair: int, at: int, kind: str, data: Mapping[str, object]) -> Published:
        number = self._first + pair % POOL
        department = kind.partition(".")[0]
        name, value = customer_no(number)
        known = {"customer": {"identifiers": [{"type": name, "value": value}]}}
        event = f"/{department}/pairs", f"pair-{pair}"
        body = cloud_event(kind, *event, at, {**data, **known})
        return Published(at, events_topic(department), b"%d" % number, body, event)


def stream(
    others: Iterator[Published], pairs: Pairs, first: int, begin: int, rate: float, share: float
) -> Iterator[Due]:
    """``rate`` events/s from ``begin`` (µs) on, of which ``share`` fire an alert, for as long as there are ``others``.

    Pairs are numbered from ``first`` on. The same for everybody but for the instants of the pairs.
    """
    every = round(1 / share)
    behind = ceil(GAP * rate / every)
    for index in count():
        after = index / rate
        number, place = divmod(index, every)
        if place == 0:
            yield pairs.complaint(first + number, after, begin)
        elif place == every // 2 and number >= behind:
            yield pairs.campaign(first + number - behind, after, begin)
        elif (other := next(others, None)) is not None:
            yield Due(after, other)
        else:
            return
