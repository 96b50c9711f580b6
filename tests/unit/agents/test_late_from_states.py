"""Late events of the journey, folded from older states: as if nothing had been kept, whatever became of the unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents import messages
from schemas.topics import DEAD, alerts_topic, partition_of

from .bench import PARTITIONS, Journal, event


def complain(journal: Journal) -> None:
    opened = event("service.case.opened.v1", "2026-11-17T09:00:00Z", caseId="K1", category="complaint", priority="high")
    journal.publish("c_1", opened)


def advertise(journal: Journal, time: str) -> list[Any]:
    sent = event("marketing.campaign.sent.v1", f"2026-11-17T{time}:00Z", time, campaignId=f"S{time}", channel="email")
    return journal.publish("c_1", sent, "marketing")


def fired(journal: Journal) -> set[str]:
    return {said["data"]["rule"] for said in journal.messages(alerts_topic("marketing"))}


def test_a_state_that_an_isolated_event_led_to_is_not_folded_from(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    complain(journal)
    with monkeypatch.context() as patch:
        patch.setattr(messages, "alert", lambda *_: 1 // 0)
        outputs = advertise(journal, "12:00")
    assert [DEAD] == [output.topic for output in outputs if output.topic == DEAD]
    advertise(journal, "12:10")
    advertise(journal, "12:05")
    assert {"campaign-during-complaint"} == fired(journal), "two contacts a day are no fatigue"
    advertise(journal, "12:07")
    assert {"campaign-during-complaint", "contact-fatigue"} == fired(journal)


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_it_makes_no_difference_whether_older_states_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    monkeypatch.setattr("agents.journey.BYTES", memory)
    journal = Journal(tmp_path / "one")
    complain(journal)
    for time in ("12:00", "12:10", "12:05", "08:00", "12:20"):
        advertise(journal, time)
    kept = journal.journey(partition_of("c_1", PARTITIONS))._archive.snapshot("c_1", 1 << 62)
    assert bool(memory) == (kept is not None), "whoever is not kept decoded has no states either"
    assert {"campaign-during-complaint", "contact-fatigue"} == fired(journal)
    journal.close()
