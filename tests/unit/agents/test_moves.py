"""Moves: a merged customer's entries and alerts leave and arrive whole, and each event as it was sent."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from schemas.journal import MERGE, MOVED, ORDER
from schemas.topics import DEAD, JOURNAL, PROFILES, TIMELINE, alerts_topic, partition_of
from tests.chaos.nonsense import odd_but_good

from .bench import (
    PARTITIONS,
    Journal,
    advertise,
    complain,
    complain_and_advertise,
    event,
    largest,
    merge,
    minute,
    told_of,
)


def test_a_merge_changes_no_byte_of_an_event_however_its_numbers_are_written(journal: Journal) -> None:
    numbers = b"[" + b",".join([b"1e15"] * 40_000) + b"]"
    sent = event("service.case.opened.v1", minute(1), caseId="K1", category="question", priority="low", extra="@")
    sent = sent.replace(b'"@"', numbers)
    assert len(orjson.dumps(orjson.loads(sent))) > 3 * len(sent)
    journal.publish("young", sent)
    before = [made.value for (topic, _), log in journal.logs.items() if topic == TIMELINE for made in log]
    complain(journal, "old", 3)
    assert largest(merge(journal, "young", "old")) < 2 * len(sent)
    after = [
        made.value for (topic, _), log in journal.logs.items() if topic == TIMELINE for made in log
        if made.key.startswith(b"old/") and made.value is not None and sent in made.value
    ]  # fmt: skip
    assert sent in before[0]
    assert 1 == len(after)


ODD = b'12345678901234567890123,"price":1.10,"a":1,"a":2,"big":18446744073709551615,"text":"\\u00e9"'
"""Numbers and names that no reader of JSON writes again as they were."""


def test_through_a_chain_of_merges_an_event_is_as_it_was_sent_and_its_copies_are_copies(
    journal: Journal, tmp_path: Path
) -> None:
    sent = event("service.case.opened.v1", minute(1), caseId="K1", category="question", priority="low", ref="@")
    sent = sent.replace(b'"@"', ODD)
    journal.publish("c_3", sent)
    for number, (away, into) in enumerate((("c_3", "c_2"), ("c_2", "c_1"))):
        complain(journal, into, 3 + number)
        merge(journal, away, into)
        for customer in (away, into):  # what comes under the old id is forwarded
            outputs = journal.publish(customer, sent)
            assert [] == [one for one in outputs if one.topic in (TIMELINE, DEAD)]
    other = sent.replace(b"1.10", b"1.11")
    for there in (journal, journal.restored(tmp_path / "two")):
        (letter,) = (one for one in there.publish("c_3", other) if one.topic == DEAD)
        assert other == letter.value
        assert b"id-reused" == dict(letter.headers)["__cxbus.errors.exception"]
        assert [] == [one for one in there.publish("c_1", sent) if one.topic in (TIMELINE, DEAD)]
        there.close()
    values = [made.value for (topic, _), log in journal.logs.items() if topic == TIMELINE for made in log if made.value]
    assert [b"c_3", b"c_2", b"c_1"] == [
        key for key in (b"c_3", b"c_2", b"c_1") for one in values if sent in one and b'"customerId":"' + key in one
    ]


def test_alerts_that_are_too_many_for_the_last_part_of_a_move_are_one_of_their_own(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    complain(journal, "young", 0)
    for number in range(1, 20):
        advertise(journal, "young", number)
    complain(journal, "old", 30)
    monkeypatch.setattr("agents.moves.MOVE_BYTES", 6_000)
    merge(journal, "young", "old")
    moves = [
        orjson.loads(made.value) for (topic, _), log in journal.logs.items() if topic == JOURNAL for made in log
        if (ORDER, MOVED) in made.headers
    ]  # fmt: skip
    assert ([], 20) == (moves[-1]["entries"], len(moves[-1]["alerts"]))
    assert [[]] * (len(moves) - 1) == [move["alerts"] for move in moves[:-1]]
    assert 19 == journal.current(PROFILES)["old"]["standing"].count("campaign-during-complaint")


def test_what_is_decided_for_a_customer_stays_so_after_a_merge(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    complain(journal, "young", 0)
    complain(journal, "old", 1)
    monkeypatch.setattr("core.alerts.suppression.MOST_ALERTS", 1)
    for number in (2, 3):
        advertise(journal, "young", number)
    monkeypatch.undo()
    merge(journal, "young", "old")
    keys = [(alert["state"], alert["instanceKey"]) for alert in told_of(journal, "campaign-during-complaint")]
    assert [(state, "CAMP-00002") for state in ("fired", "retracted", "updated")] == keys


def test_a_merged_customer_moves_with_entries_and_alerts_and_leaves_a_redirect(journal: Journal) -> None:
    younger = next(f"c_{n}" for n in range(9) if partition_of(f"c_{n}", PARTITIONS) != partition_of("old", PARTITIONS))
    journal.publish("old", event("web.page.viewed.v1", "2026-11-17T08:00:00Z", url="https://example.com/"), "web")
    complain_and_advertise(journal, younger)
    before = {key.partition("/")[2]: entry["event"] for key, entry in journal.current(TIMELINE).items()}
    journal.tell(younger, orjson.dumps({"into": "old", "version": 7}), [(ORDER, MERGE)])

    entries = journal.current(TIMELINE)
    assert {"old"} == {entry["customerId"] for entry in entries.values()}
    assert before == {key.partition("/")[2]: entry["event"] for key, entry in entries.items()}
    assert 2 == sum(entry["moved"] for entry in entries.values())
    profiles = journal.current(PROFILES)
    assert "old" == profiles[younger]["mergedInto"]
    assert (3, ["campaign-during-complaint"]) == (profiles["old"]["entries"], profiles["old"]["standing"])
    told = [message["data"] for message in journal.messages(alerts_topic("service"))]
    states = [(data["customerId"], data["state"], data["evidence"]) for data in told]
    evidence = told[0]["evidence"]
    assert 2 == len(evidence)
    expected = [(younger, "fired", evidence), (younger, "retracted", evidence), ("old", "updated", evidence)]
    assert expected == states, "looked up before the entries leave, and where they arrive"

    journal.publish(younger, event("service.case.resolved.v1", "2026-11-18T09:00:00Z", caseId="K1"))
    assert 4 == journal.current(PROFILES)["old"]["entries"]
    assert [] == journal.current(PROFILES)["old"]["open"]


def test_whatever_intake_takes_moves(journal: Journal) -> None:
    odd = [one for one in odd_but_good(1_795_000_000_000_000, 1) if not one.reason]
    for one in odd:
        journal.publish("young", one.value, "sales")
    before = sorted(orjson.dumps(entry["event"]) for entry in journal.current(TIMELINE).values())
    journal.tell("young", orjson.dumps({"into": "old", "version": 7}), [(ORDER, MERGE)])
    entries = journal.current(TIMELINE).values()
    assert {"old"} == {entry["customerId"] for entry in entries}
    assert before == sorted(orjson.dumps(entry["event"]) for entry in entries)
    assert len(odd) == journal.current(PROFILES)["old"]["entries"]


def test_a_long_history_moves_in_parts_and_is_judged_once(journal: Journal) -> None:
    for hour in range(24):
        for number in range(50):
            journal.publish(
                "young",
                event(
                    "web.page.viewed.v1", f"2026-11-16T{hour:02}:{number:02}:00Z", f"{hour}-{number}",
                    url="https://example.com/",
                ),
                "web",
            )  # fmt: skip
    complain_and_advertise(journal, "young")
    journal.tell("young", orjson.dumps({"into": "old", "version": 7}), [(ORDER, MERGE)])
    moves = [made for (topic, _), log in journal.logs.items() if topic == JOURNAL for made in log
             if (ORDER, MOVED) in made.headers]  # fmt: skip
    assert 3 == len(moves)
    assert 1202 == len(journal.current(TIMELINE))
    states = [(m["data"]["customerId"], m["data"]["state"]) for m in journal.messages(alerts_topic("service"))]
    assert [("young", "fired"), ("young", "retracted"), ("old", "updated")] == states
    assert {} == journal.known("old").arriving


def test_what_moved_away_stays_away_after_a_restore(journal: Journal, tmp_path: Path) -> None:
    complain_and_advertise(journal, "young")
    journal.tell("young", orjson.dumps({"into": "old", "version": 7}), [(ORDER, MERGE)])
    restored = journal.restored(tmp_path / "two")
    archives = [restored.journey(partition)._archive for partition in range(PARTITIONS)]
    left = {name: sum(len(archive.since(name, 0)) for archive in archives) for name in ("young", "old")}
    assert {"young": 0, "old": 2} == left
    restored.close()
