"""What a chaos run is made of can be repeated, and what judges it can fail."""

from __future__ import annotations

import time

import pytest
from aiokafka import TopicPartition

from agents.dead_letters import dead_letter
from core.timeline.entry import event_uid, uid_bytes
from schemas.codec import Codec, Decoded
from schemas.journal import Origin, event_headers
from schemas.refusal import Reason, Refusal
from schemas.registry import Registry
from schemas.topics import DEAD, JOURNAL, LINKS, TIMELINE, events_topic

from .business import Sent
from .durability import durable, judged
from .faults import FAULTS, schedule
from .load import Load
from .log import Log, Record
from .pauses import Mark, Stream, pauses, spread
from .poison import poison
from .progress import Sample
from .publication import Publication

NOW = 1_772_409_600_000_000  # 2026-03-02T00:00Z, us
WEB = events_topic("web")


# --- the same again -------------------------------------------------------------------------------------------------


def test_a_seed_repeats_the_schedule_and_another_seed_makes_another() -> None:
    counts = {"kill": 20, "zombie": 1, "broker-kill": 1}
    assert schedule(counts, 7, 6) == schedule(counts, 7, 6)
    assert schedule(counts, 7, 6) != schedule(counts, 8, 6)
    assert sorted(["zombie", "broker-kill", *["kill"] * 20]) == sorted(one.fault.name for one in schedule(counts, 7, 6))


def test_every_fault_can_be_planned_and_an_unknown_one_is_refused() -> None:
    assert len(FAULTS) == len(schedule(dict.fromkeys(FAULTS, 1), 1, 6))
    with pytest.raises(KeyError):
        schedule({"flood": 1}, 1, 6)


def test_a_seed_repeats_the_load_and_no_wave_takes_ids_of_another() -> None:
    one, other = Load(3, 600), Load(3, 600)
    first, second = one.wave(NOW), one.wave(NOW)
    assert [first, second] == [other.wave(NOW), other.wave(NOW)]
    again = {sent.value for sent in first} & {sent.value for sent in second}
    assert 0 < len(again) < 0.04 * len(second)  # copies, sent again on purpose


def test_poison_is_refused_for_the_reason_that_it_says_and_what_is_only_strange_is_taken() -> None:
    now = time.time_ns() // 1000
    codec = Codec(Registry.discover())
    for sent in poison(1, 40, now):
        decoded = codec.decode("sales", sent.value, sent.headers)
        late = isinstance(decoded, Decoded) and decoded.time > now + 86_400_000_000
        found = "time-in-future" if late else None if isinstance(decoded, Decoded) else decoded.reason
        assert sent.reason == found, sent.value[:200]


# --- a false yes ----------------------------------------------------------------------------------------------------


SENT = Sent(WEB, b"1", b"one")
STANDS = Record(WEB, 0, 5, 0, b"1", b"one", list(SENT.headers))


def told(publication: Publication, *records: Record) -> list[str]:
    return [problem.kind for problem in publication.problems(records)]


def test_what_was_acknowledged_must_stand_where_the_broker_said() -> None:
    publication = Publication()
    publication.acknowledge(SENT, (WEB, 0, 5))
    assert [] == told(publication, STANDS)
    assert ["lost"] == told(publication)
    assert ["lost"] == told(publication, STANDS._replace(value=b"other"))
    assert ["extra", "lost"] == told(publication, STANDS._replace(offset=6))


def test_what_was_never_acknowledged_may_stand_as_often_as_it_was_tried() -> None:
    publication = Publication()
    publication.doubt(SENT)
    publication.doubt(SENT)
    assert [] == told(publication)
    assert [] == told(publication, STANDS, STANDS._replace(offset=6))
    assert ["extra"] == told(publication, STANDS, STANDS._replace(offset=6), STANDS._replace(offset=7))
    assert ["extra"] == told(publication, STANDS._replace(key=b"2"))


def test_what_stood_on_a_topic_that_was_made_anew_leaves_its_place_to_another_record() -> None:
    other = Sent(WEB, b"1", b"other")
    publication = Publication()
    publication.acknowledge(SENT, (WEB, 0, 5))
    publication.begin_anew(WEB)
    publication.acknowledge(other, (WEB, 0, 5))
    assert [] == told(publication, STANDS, STANDS._replace(value=b"other"))
    assert ["lost"] == told(publication, STANDS)
    assert ["lost"] == told(publication, STANDS._replace(value=b"other"))


# --- I4 -------------------------------------------------------------------------------------------------------------


def a_log() -> Log:
    """One event through intake, resolver and journey, another one into the dead letters."""
    origin = Origin(WEB, 0, 0)
    headers = event_headers(str(origin), NOW, NOW, uid_bytes("/web", "1"))
    log = Log()
    log.add(Record(WEB, 0, 0, 1, b"", b"{}"))
    log.add(Record(WEB, 0, 1, 1, b"", b"bad"))
    log.add(Record(LINKS, 0, 3, 2, None, b"{}", headers))
    log.add(Record(JOURNAL, 1, 7, 3, b"c_1", b"{}", headers))
    log.add(Record(TIMELINE, 1, 9, 4, b"c_1/" + event_uid("/web", "1").encode(), b"{}"))
    told = dead_letter(None, b"bad", (), "intake", Origin(WEB, 0, 1), Refusal(Reason.NOT_JSON, "")).headers
    log.add(Record(DEAD, 0, 2, 2, b"", b"bad", told))
    return log


ENDS = {(WEB, 0): 2, (LINKS, 0): 4, (JOURNAL, 1): 8, (TIMELINE, 1): 10, (DEAD, 0): 3}


def a_sample(committed: dict[tuple[str, int], int], ends: dict[tuple[str, int], int]) -> Sample:
    nothing = dict.fromkeys([(WEB, 0), (LINKS, 0), (JOURNAL, 1)], 0)
    return Sample(
        0,
        {TopicPartition(*place): offset for place, offset in (nothing | committed).items()},
        {TopicPartition(*place): offset for place, offset in (ENDS | ends).items()},
        {},
        0,
    )


def test_offsets_that_were_committed_after_their_effects_are_in_order() -> None:
    samples = [a_sample({}, dict.fromkeys(ENDS, 0)), a_sample({(WEB, 0): 2, (LINKS, 0): 4, (JOURNAL, 1): 8}, {})]
    assert [] == list(durable(a_log(), samples, [WEB]))
    assert 4 == judged(a_log(), samples)


@pytest.mark.parametrize(
    ("committed", "ends"),
    [
        ({(WEB, 0): 1}, {(LINKS, 0): 3, (JOURNAL, 1): 7}),
        ({(WEB, 0): 2}, {(DEAD, 0): 2}),
        ({(LINKS, 0): 4}, {(JOURNAL, 1): 7}),
        ({(JOURNAL, 1): 8}, {(TIMELINE, 1): 9}),
    ],
)
def test_an_offset_that_was_committed_before_its_effect_was_written_is_found(
    committed: dict[tuple[str, int], int], ends: dict[tuple[str, int], int]
) -> None:
    samples = [a_sample(committed, ends), a_sample(committed, {})]
    assert ["lost"] == [problem.kind for problem in durable(a_log(), samples, [WEB])]


def test_a_letter_about_a_range_is_the_effect_of_each_of_its_records() -> None:
    log = Log()
    for offset in range(3):
        log.add(Record(WEB, 0, offset, 1, b"", b"bad"))
    told = dead_letter(None, b"raw", (), "intake", Origin(WEB, 0, 0), Refusal(Reason.TOO_LARGE, ""), last=1).headers
    log.add(Record(DEAD, 0, 2, 2, None, b"raw", told))
    samples = [a_sample({(WEB, 0): 2}, {})]
    assert [] == list(durable(log, samples, [WEB]))
    assert ["lost"] == [problem.kind for problem in durable(log, [a_sample({(WEB, 0): 3}, {})], [WEB])]


# --- I5 -------------------------------------------------------------------------------------------------------------


PLACE = (JOURNAL, 0)


def test_a_pause_is_the_time_without_outputs_while_there_was_work_after_the_fault() -> None:
    stream = Stream(inputs=[0, 900, 1_000, 5_000, 9_000], outputs=[100, 1_200, 8_000, 9_100])
    assert 3_000 == stream.pause(since=2_000, until=20_000)  # since 5,000: earlier there was nothing to do
    assert 2_000 == stream.pause(since=6_000, until=20_000)
    assert 300 == stream.pause(since=0, until=1_100)
    assert 0 == Stream(inputs=[0], outputs=[100]).pause(since=50, until=1_000)


def test_each_fault_gets_the_pause_that_began_before_the_next_one() -> None:
    stream = Stream(inputs=list(range(0, 60_000, 100)), outputs=[*range(50, 10_000, 100), *range(22_050, 60_100, 100)])
    marks = [Mark("kill", 10_000), Mark("kill", 30_000), Mark("zombie", 40_000)]
    assert {
        "kill": [(12.05, PLACE, 10_000), (0.05, PLACE, 30_000)],
        "zombie": [(0.05, PLACE, 40_000)],
    } == pauses(marks, {PLACE: stream})


def test_figures_are_told_with_their_distribution() -> None:
    assert "4 x, min 1.0, median 2.5, p90 4.0, max 4.0 s" == spread([3, 1, 2, 4])
    assert "none" == spread([])
