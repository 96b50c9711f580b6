"""Late events are late ones, and a customer's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from agents.journey import Journey
from benchmarks.late import Lived, Stage, line, measured
from engine.kafka.record import KafkaRecord
from engine.transactional.unit import Deciding
from schemas.topics import TIMELINE


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What journeys write of timelines from now on."""
    found: list[bytes] = []
    decide = Journey.decide

    def seen(self: Journey, records: Sequence[KafkaRecord], *, careful: bool) -> Deciding:
        outputs = yield from decide(self, records, careful=careful)
        found.extend(one.value or b"" for one in outputs if one.topic == TIMELINE)
        return outputs

    monkeypatch.setattr(Journey, "decide", seen)
    return found


def test_of_two_events_the_second_is_late_also_for_a_journey_that_was_opened_anew(
    tmp_path: Path, entries: list[bytes]
) -> None:
    customers = [Lived(number, 6, 7.0) for number in range(3)]
    with Stage(tmp_path, customers) as stage:
        assert 18 == len(entries)
        for again in (False, True):
            if again:
                stage.reopen()
            entries.clear()
            stage.in_order(customers)
            stage.late(customers)
            assert [False] * 3 + [True] * 3 == [b'"late":true' in one for one in entries]


def test_every_round_costs_something(tmp_path: Path) -> None:
    costs = measured(4, 7.0, 2, tmp_path)
    assert [2, 2, 2, 2] == [len(some) for some in (costs.in_order, costs.late, costs.cold_in_order, costs.cold_late)]
    assert min(*costs.in_order, *costs.late, *costs.cold_in_order, *costs.cold_late) > 0
    assert ["4", "7"] == list(line(4, 7.0, costs))[:2]
