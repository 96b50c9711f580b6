"""Restores: a journey that knows the public topics only goes on as if nothing had happened, or says why not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from agents.documents import STATE, OtherVersion
from core.timeline.entry import uid_bytes
from engine.kafka.errors import Permanent
from engine.transactional.transaction import Output
from engine.transactional.unit import decided
from schemas.journal import Header, event_headers
from schemas.topics import JOURNAL, PROFILES, TIMELINE, partition_of

from .bench import MARK, PARTITIONS, Journal, complain_and_advertise, event, record
from .test_documents import FORMER, FORMER_REDIRECT


@pytest.mark.parametrize("restores", [False, True])
def test_what_a_lost_unit_of_work_took_in_is_not_kept_by_an_opening(journal: Journal, restores: bool) -> None:
    complain_and_advertise(journal, "c_1")
    place = partition_of("c_1", PARTITIONS)
    journey, before = journal.journey(place), len(journal.current(TIMELINE))
    resolved = event("service.case.resolved.v1", "2026-11-18T09:00:00Z", caseId="K1")
    uid = uid_bytes("/test", "service.case.resolved.v1-0")
    headers = event_headers("cx.service.events.v1/0/9", journal.clock * 1000, 1_795_000_000_000_000, uid)
    lost = [record(JOURNAL, place, 9, resolved, b"c_1", headers, journal.clock)]
    written = decided(journey, lost)
    if restores:
        journey.restore(journal.logs[PROFILES, place])
    journey.opened(MARK)
    assert before == len(journey._archive.since("c_1", 0))
    assert written == decided(journey, lost), "it is no copy of itself"


def test_a_journey_restored_from_the_public_topics_goes_on_as_if_nothing_had_happened(
    journal: Journal, tmp_path: Path
) -> None:
    complain_and_advertise(journal, "c_1")
    restored = journal.restored(tmp_path / "two")
    late = event("service.case.resolved.v1", "2026-11-17T10:00:00Z", caseId="K1")
    again = event("service.case.resolved.v1", "2026-11-17T10:00:00Z", caseId="K1")
    assert journal.publish("c_1", late) == restored.publish("c_1", late)
    assert journal.publish("c_1", again) == restored.publish("c_1", again)
    assert journal.documents() == restored.documents()
    restored.close()


def test_the_clock_of_a_restored_journey_does_not_go_back(journal: Journal, tmp_path: Path) -> None:
    complain_and_advertise(journal, "c_1")
    reached = journal.known("c_1").appended
    restored = journal.restored(tmp_path / "two")
    restored.clock -= 3_600_000  # the next broker to lead the partition is behind
    restored.publish("c_1", event("web.page.viewed.v1", "2026-11-17T13:00:00Z", url="https://example.com/"), "web")
    assert reached == restored.known("c_1").appended
    restored.close()


def test_a_state_that_cannot_be_read_is_passed_over_and_what_is_derived_is_folded_again(journal: Journal) -> None:
    place = partition_of("c_1", PARTITIONS)
    complain_and_advertise(journal, "c_1")
    (profile,) = journal.logs[PROFILES, place][-1:]
    state = msgspec.msgpack.decode(dict(profile.headers)[STATE])
    junk = structs.replace(profile, headers=((STATE, msgspec.msgpack.encode([*state[:10], 7, *state[11:]])),))
    assert [junk] == journal.journey(place).restore([junk])
    headers = ((STATE, msgspec.msgpack.encode([*state[:5], 7, *state[6:]])),)
    assert [] == journal.journey(place).restore([structs.replace(profile, headers=headers)])
    journal.journey(place).opened(MARK)
    outputs = journal.publish("c_1", event("service.case.resolved.v1", "2026-11-18T09:00:00Z", caseId="K1"))
    assert [TIMELINE, PROFILES] == [one.topic for one in outputs]
    (profile,) = journal.logs[PROFILES, place][-1:]
    assert msgspec.msgpack.decode(dict(profile.headers)[STATE])[5] is not None


@pytest.mark.parametrize(
    ("topic", "key", "value"),
    [
        (TIMELINE, None, b"{}"),
        (TIMELINE, b"c_1/uid", b"no JSON"),
        (TIMELINE, b"\xff", None),
        (PROFILES, b"c_1", b"no JSON"),
        (PROFILES, b"c_1", b'{"data": {}}'),
        (PROFILES, None, None),
    ],
)
def test_what_has_not_the_form_of_our_state_is_passed_over_by_a_restore(
    journal: Journal, topic: str, key: bytes | None, value: bytes | None
) -> None:
    complain_and_advertise(journal, "c_1")
    place = partition_of("c_1", PARTITIONS)
    (profile,) = journal.logs[PROFILES, place][-1:]
    other = record(topic, place, 99, value, key)
    assert [other] == journal.journey(place).restore([profile, other])
    assert [b"foreign-record"] == [
        dict(letter.headers)["__cxbus.errors.exception"] for letter in journal.journey(place).foreign([other])
    ]


@pytest.mark.parametrize(
    ("value", "headers", "form"),
    [(FORMER, (), 3), (FORMER_REDIRECT, (), 3), (b"{}", ((STATE, msgspec.msgpack.encode([9, "more"])),), 9)],
)
def test_a_profile_of_another_version_stops_the_worker_for_good(
    journal: Journal, tmp_path: Path, value: bytes, headers: tuple[Header, ...], form: int
) -> None:
    complain_and_advertise(journal, "c_1")
    (place,) = [place for place in journal.logs if place[0] == PROFILES]
    (made,) = journal.pipeline.write([Output(*place, b"c_1", value, headers)])
    where = rf"the record cx\.profiles\.v1/{place[1]}/{made.offset}: a profile has a state of version {form}; "
    with pytest.raises(OtherVersion, match=where) as raised:
        journal.restored(tmp_path / "two")
    assert isinstance(raised.value, Permanent)
