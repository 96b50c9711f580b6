"""The way of an event in order, from the step to the alert's message: one station after the other, each once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

from agents import messages
from agents.heard import Listener
from core import arrival, folding, journey, judging, notification

from .bench import Journal, event

CHAIN = (
    Listener.hear,
    journey.step,
    arrival.join,
    judging.judge,
    folding.fold,
    notification.decide,
    notification.Teller.say,
    messages.alert,
)
"""Called one after the other; the decisions inside ``step``, those about alerts inside ``judge``."""

INSIDE = {arrival.join: journey.step, judging.judge: journey.step} | dict.fromkeys(
    (folding.fold, notification.decide, notification.Teller.say), judging.judge
)


def test_an_event_in_order_that_fires_an_alert_passes_every_station_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    case = {"caseId": "K1", "category": "complaint", "priority": "high"}
    journal.publish("c_1", event("service.case.opened.v1", "2026-11-17T09:00:00Z", **case))
    sent = event("marketing.campaign.sent.v1", "2026-11-17T12:00:00Z", campaignId="S1", channel="email")
    stations: dict[CodeType, Callable[..., object]] = {one.__code__: one for one in CHAIN}
    passed: list[Callable[..., object]] = []
    open_now: list[Callable[..., object]] = []
    outer: dict[Callable[..., object], Callable[..., object] | None] = {}

    def watch(frame: FrameType, what: str, _: object) -> None:
        station = stations.get(frame.f_code)
        if station is not None and what == "call":
            passed.append(station)
            outer[station] = open_now[-1] if open_now else None
            open_now.append(station)
        elif station is not None and what == "return":
            assert station is open_now.pop()

    sys.setprofile(watch)
    try:
        journal.publish("c_1", sent, "marketing")
    finally:
        sys.setprofile(None)
        journal.close()
    alerts = passed.count(messages.alert)
    assert 1 == alerts, "of one alert there is one message, whoever is told"
    assert list(CHAIN) == passed
    assert {station: INSIDE.get(station) for station in CHAIN} == outer
