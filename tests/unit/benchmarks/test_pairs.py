"""The steady stream of the latency benchmark."""

from __future__ import annotations

from itertools import islice

import orjson
import pytest

from benchmarks.outcome import alert_of
from benchmarks.pairs import GAP, POOL, RULE, Pairs, stream
from benchmarks.scenario import Scenario
from benchmarks.traffic import traffic
from core.timeline.entry import SECOND
from schemas.topics import alerts_topic
from tests.unit.agents.bench import Journal

BEGIN = 1_795_000_000_000_000
OTHERS = Scenario.named("100-uniform", 1_000)


def test_events_come_at_the_rate_and_the_share_of_them_fires() -> None:
    due = list(islice(stream(traffic(OTHERS, BEGIN), Pairs(100), 0, BEGIN, 200.0, 0.05), 1_000))
    assert [index / 200.0 for index in range(1_000)] == [one.after for one in due]
    steady = due[int((GAP + 0.1) * 200) :]
    assert 0.05 == pytest.approx(sum(one.fires is not None for one in steady) / len(steady), abs=0.002)


def test_each_campaign_follows_the_complaint_of_the_same_customer_after_the_gap() -> None:
    complaints: dict[bytes, int] = {}
    fired = 0
    for one in islice(stream(traffic(OTHERS, BEGIN), Pairs(100), 7, BEGIN, 200.0, 0.05), 1_000):
        held = orjson.loads(one.event.value)
        if held["source"] == "/service/pairs":
            complaints[one.event.key] = one.event.at
        if one.fires is not None:
            fired += 1
            assert held["data"]["campaignId"] == one.fires
            assert BEGIN + int(one.after * SECOND) == one.event.at
            assert one.event.at - complaints[one.event.key] >= GAP * SECOND
    assert fired > 30


def test_the_stream_ends_with_the_others() -> None:
    due = list(stream(iter(list(traffic(OTHERS, BEGIN))[:100]), Pairs(100), 0, BEGIN, 200.0, 0.05))
    assert 100 == sum("/pairs" not in one.event.event[0] for one in due)


def test_every_pair_fires_also_when_the_pool_of_customers_begins_anew(journal: Journal) -> None:
    pairs = Pairs(0)
    for number in (3, 3 + POOL, 3 + 2 * POOL):
        journal.publish("c_1", pairs.complaint(number, 0.0, BEGIN + number).event.value)
        journal.publish("c_1", pairs.campaign(number, GAP, BEGIN + number).event.value, "marketing")
    fired = [alert_of(one) for one in journal.messages(alerts_topic("marketing"))]
    assert [f"P{number}" for number in (3, 3 + POOL, 3 + 2 * POOL)] == [key for rule, _, key in fired if rule == RULE]
