"""Merges of merges, while parts of the past are still on their way: the same on every way through the agents."""

from __future__ import annotations

from typing import Any

import pytest

from agents import moves
from schemas.codec import Codec

from .bus import Bus
from .comparison import differences
from .entry import H
from .worlds import START

SEEDS = 40


class Company:
    """Departments that publish about people with a customer number each, an hour after the other."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self._number = 0

    def publish(self, kind: str, *people: str, late: int = 0, **data: Any) -> None:
        """An event that knows them all as one; ``late`` (µs): so much earlier than the clock."""
        self._number += 1
        at = START + self._number * H
        known = {"customer": {"identifiers": [{"type": "customer_no", "value": person} for person in people]}}
        value = Codec.encode_structured(
            type=kind, source="w", id=str(self._number), time=at - late, data={**data, **known}
        )
        self.bus.publish(kind.split(".")[0], value, at)

    def complaint(self, person: str) -> None:
        """And campaigns for all that."""
        self.publish("service.case.opened.v1", person, caseId=f"K-{person}", category="complaint", priority="high")
        for _ in range(3):
            campaign = f"S{self._number}"
            self.publish("marketing.campaign.sent.v1", person, campaignId=campaign, channel="email")
            self.bus.finish()

    def page(self, *people: str) -> None:
        """A page that they looked at."""
        self.publish("web.page.viewed.v1", *people, url="https://example.com/")


def test_a_customer_who_leaves_while_others_are_still_arriving_takes_them_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moves, "MOVE_ENTRIES", 1)
    under_way = 0
    for seed in range(SEEDS):
        with Bus(seed) as bus:
            company = Company(bus)
            for person in ("C", "B", "A"):
                company.complaint(person)
            company.page("A", "B")
            company.page("B", "C")
            bus.finish()
            oracle = bus.oracle()
            assert [] == differences(bus.topics(), oracle), seed
            under_way += sum(bool(move.arriving) for move in oracle.journal.moves.values())
    assert under_way > 0
