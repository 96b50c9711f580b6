"""The journey of a partition, on its real store: what an event, a copy, an answer and a foreign record become."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.archive import Archive
from agents.journey import QUIET
from core.timeline.entry import rfc3339, uid_bytes
from engine.transactional.transaction import Output
from engine.transactional.unit import decided
from schemas.codec import Codec, Decoded
from schemas.journal import MERGE, MOVED, ORDER, Header, event_headers
from schemas.outputs import OUTPUTS
from schemas.topics import DEAD, JOURNAL, PROFILES, TIMELINE, alerts_topic, partition_of

from .bench import CODEC, PARTITIONS, Journal, complain_and_advertise, event


def test_an_event_becomes_an_entry_a_profile_and_an_alert_for_each_department(journal: Journal) -> None:
    complain_and_advertise(journal, "c_1")
    entries = journal.current(TIMELINE)
    assert ["marketing", "service"] == sorted(entry["department"] for entry in entries.values())
    assert {"customerId": "c_1", "late": False, "moved": False}.items() <= next(iter(entries.values())).items()
    profile = journal.current(PROFILES)["c_1"]
    assert ("Ada", 2, ["campaign-during-complaint"]) == (profile["name"], profile["entries"], profile["standing"])
    assert [{"type": "email", "value": "a…@example.com#cd46"}] == profile["identifiers"]
    told = [journal.messages(alerts_topic(department)) for department in ("marketing", "service")]
    assert ["fired"] == [message["data"]["state"] for message in told[0]]
    assert told[0] == told[1]


def test_everything_said_keeps_its_contract(journal: Journal) -> None:
    complain_and_advertise(journal, "c_1")
    journal.publish("c_1", event("service.case.resolved.v1", "2026-11-18T09:00:00Z", caseId="K1"))
    checked = 0
    for (topic, _), log in journal.logs.items():
        for made in log if topic != JOURNAL else ():
            said = orjson.loads(made.value)
            OUTPUTS[said["type"]].model_validate(said["data"])
            checked += 1
    assert checked >= 8


def test_a_copy_is_ignored_and_a_reused_id_is_a_dead_letter(journal: Journal) -> None:
    first = event("service.case.resolved.v1", "2026-11-17T09:00:00Z", caseId="K1")
    journal.publish("c_1", first)
    journal.publish("c_1", first)
    assert 1 == len(journal.current(TIMELINE))
    other = event("service.case.resolved.v1", "2026-11-17T09:00:00Z", caseId="K2")
    outputs = journal.publish("c_1", other)
    letter = next(output for output in outputs if output.topic == DEAD)
    headers = dict(letter.headers)
    assert other == letter.value
    assert (b"id-reused", b"journey") == (headers["__cxbus.errors.exception"], headers["__cxbus.errors.stage"])
    assert b"cx.service.events.v1" == headers["__cxbus.errors.topic"]
    assert 1 == len(journal.current(TIMELINE))


def test_the_same_content_at_another_time_is_no_copy(journal: Journal) -> None:
    journal.publish("c_1", event("service.case.resolved.v1", "2026-11-17T09:00:00Z", caseId="K1"))
    outputs = journal.publish("c_1", event("service.case.resolved.v1", "2026-11-17T09:00:01Z", caseId="K1"))
    assert DEAD in [output.topic for output in outputs]


def test_how_a_batch_was_cut_shows_in_no_alert_and_no_entry(tmp_path: Path) -> None:
    def run(home: Path, together: bool) -> tuple[object, object, object]:
        journal = Journal(home)
        clock = journal.clock
        single = Journal(home / "single")
        complain_and_advertise(single, "c_1")
        log = single.logs[JOURNAL, partition_of("c_1", PARTITIONS)]
        single.close()
        journal.clock = clock
        for batch in [log] if together else [[one] for one in log]:
            journal.run(batch)
        found = journal.current(TIMELINE), journal.documents(), journal.messages(alerts_topic("service"))
        journal.close()
        return found

    assert run(tmp_path / "a", together=True) == run(tmp_path / "b", together=False)


def advertise(journal: Journal, day: int, hour: int, again: bool = False) -> None:
    """A campaign of November; ``again``: the first time its unit of work is lost."""
    time = f"2026-11-{day:02}T{hour:02}:00:00Z"
    late = event("marketing.campaign.sent.v1", time, time, campaignId=f"S{hour}", channel="email")
    if again:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(journal, "run", lambda records: decided(journal.journey(records[0].partition), records))
            journal.publish("c_1", late, "marketing")
        journal.run(journal.logs[JOURNAL, partition_of("c_1", PARTITIONS)][-1:])
    else:
        journal.publish("c_1", late, "marketing")


def test_what_a_lost_unit_of_work_took_in_is_no_part_of_the_past(journal: Journal) -> None:
    for day in (1, 17):
        advertise(journal, day, 9)
    advertise(journal, 16, 18, again=True)
    assert [] == journal.known("c_1").alerts, "twice the same would be the third contact in a day"


def test_no_entry_lies_ahead_of_the_moment_at_which_the_broker_had_it(journal: Journal) -> None:
    ahead = rfc3339((journal.clock + 3_600_000) * 1000)
    journal.publish("c_1", event("service.case.resolved.v1", ahead, caseId="K1"))
    (entry,) = journal.current(TIMELINE).values()
    assert (ahead, entry["received"]) == (entry["event"]["time"], entry["at"])


def test_a_department_s_answer_is_noted_on_the_timeline(journal: Journal) -> None:
    complain_and_advertise(journal, "c_1")
    answer = event(
        "bus.alert.actioned.v1", "2026-11-17T13:00:00Z",
        alertId="a_1", customerId="c_1", department="service", by="kim", outcome="helped",
    )  # fmt: skip
    value = orjson.loads(answer)
    del value["data"]["customer"]
    journal.publish("c_1", orjson.dumps(value))
    assert "bus" in {entry["department"] for entry in journal.current(TIMELINE).values()}


def acknowledged(time: str, **more: Any) -> bytes:
    told = {"alertId": "a_1", "customerId": "c_1", "department": "service", "by": "kim", **more}
    return Codec.encode_structured(type="bus.alert.acknowledged.v1", source="/test", id="1", time=time, data=told)


@pytest.mark.parametrize("more", [{}, {"customer": "Ada"}, {"customer": {"identifiers": [7]}}])
def test_an_answer_is_no_entry_of_the_profile_whatever_else_it_says(journal: Journal, more: dict[str, Any]) -> None:
    complain_and_advertise(journal, "c_1")
    before, known = journal.current(PROFILES)["c_1"], journal.known("c_1")
    journal.publish("c_1", acknowledged("2026-11-17T13:00:00Z", **more))
    assert before == journal.current(PROFILES)["c_1"]
    later = journal.known("c_1")
    assert replace(known, appended=later.appended, until=later.until) == later
    (noted,) = (entry for entry in journal.current(TIMELINE).values() if entry["department"] == "bus")
    assert ([], False) == (noted["identifiers"], noted["late"])
    again = journal.publish("c_1", acknowledged("2026-11-17T13:00:00Z", **more))
    assert [] == [one for one in again if one.topic == TIMELINE]
    journal.tell("c_1", orjson.dumps({"into": "c_0", "version": 7}), [(ORDER, MERGE)])
    assert before["entries"] == journal.current(PROFILES)["c_0"]["entries"]
    assert {"c_0"} == {entry["customerId"] for entry in journal.current(TIMELINE).values()}


def received(journal: Journal, customer: str, value: bytes, at: int) -> list[Output]:
    """An event that the broker had at ``at`` (µs)."""
    decoded = CODEC.decode("service", value, [])
    assert isinstance(decoded, Decoded)
    uid = uid_bytes(decoded.source, decoded.id)
    headers = event_headers(f"cx.service.events.v1/0/{at % 1000}", at, decoded.time, uid)
    return journal.tell(customer, value, headers)


def test_a_copy_that_the_broker_had_earlier_takes_the_place_of_its_entry(journal: Journal, tmp_path: Path) -> None:
    now = journal.clock * 1000
    case = {"caseId": "K1", "category": "complaint", "priority": "high"}
    opened = event("service.case.opened.v1", rfc3339(now + 1_000_000), **case)
    resolved = event("service.case.resolved.v1", rfc3339(now), 2, caseId="K0")
    received(journal, "c_1", opened, now + 700)
    received(journal, "c_1", resolved, now + 900)
    assert [] == [one for one in received(journal, "c_1", opened, now + 800) if one.topic == TIMELINE]
    (earlier,) = (one for one in received(journal, "c_1", opened, now - 300) if one.topic == TIMELINE)
    told = orjson.loads(earlier.value or b"")["data"]
    assert (now - 300, now - 300, True, False) == (told["at"], told["received"], told["late"], told["moved"])
    place = partition_of("c_1", PARTITIONS)
    restored = journal.restored(tmp_path / "two")
    for one in (journal, restored):
        archived = one.journey(place)._archive
        entries = archived.since("c_1", 0)
        assert [now - 300, now] == [entry.at for entry in entries]
        assert [now - 300] == [entry.at for entry in entries if entry.type.endswith("opened.v1")]
        assert [now - 300] == [entry.at for entry in archived.matter("c_1", "case", "K1", now + 1)]
        assert () == archived.matter("c_1", "case", "K2", now + 1)
    restored.close()
    profile = journal.current(PROFILES)["c_1"]
    assert (2, [rfc3339(now - 300)]) == (profile["entries"], [matter["since"] for matter in profile["open"]])
    journal.tell("c_1", orjson.dumps({"into": "c_0", "version": 7}), [(ORDER, MERGE)])
    assert {now - 300, now} == {entry["at"] for entry in journal.current(TIMELINE).values()}
    assert {"c_0"} == {entry["customerId"] for entry in journal.current(TIMELINE).values()}


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"{}", [(ORDER, b"split")]),
        (b"{}", []),
        (b"no JSON", [(ORDER, MERGE)]),
        (b"{}", [(ORDER, MERGE)]),
        (b"{}", [(ORDER, MOVED)]),
        (None, [(ORDER, b"event")]),
        (b"[]", event_headers("cx.web.events.v1/0/7", 1, 1, bytes(16))),
        (b'{"id": "7"}', event_headers("cx.web.events.v1/0/7", 1, 1, bytes(16))),
    ],
)
def test_a_record_without_the_form_of_a_journal_record_is_passed_over(
    journal: Journal, value: bytes | None, headers: list[Header]
) -> None:
    place = partition_of("c_1", PARTITIONS)
    complain_and_advertise(journal, "c_1")
    before = journal.current(PROFILES)
    (letter,) = journal.run([journal.append(Output(JOURNAL, place, b"c_1", value, tuple(headers)))])
    told = dict(letter.headers)
    assert (b"foreign-record", b"cx.journal.v1") == (told["__cxbus.errors.exception"], told["__cxbus.errors.topic"])
    assert (b"c_1", value) == (letter.key, letter.value)
    journal.publish("c_1", event("service.case.resolved.v1", "2026-11-18T09:00:00Z", caseId="K1"))
    assert before["c_1"]["entries"] + 1 == journal.current(PROFILES)["c_1"]["entries"]


def test_what_can_wait_waits_for_a_unit_of_few_records_however_few_their_customers_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, calls = Journal(tmp_path), list[int]()
    monkeypatch.setattr(Archive, "load_uids", lambda _: calls.append(1))
    for size, expected in ((QUIET + 1, 0), (QUIET, 1)):
        unit = []
        for number in range(size):
            value = event("web.page.viewed.v1", "2026-11-17T09:00:00Z", f"{size}-{number}", url="u")
            headers = event_headers("cx.web.events.v1/0/1", 1, 1, uid_bytes("/test", f"{size}-{number}"))
            unit.append(journal.append(Output(JOURNAL, partition_of("c_1", PARTITIONS), b"c_1", value, headers)))
        journal.run(unit)
        assert expected == len(calls)
    journal.close()
