"""The checker can fail: every kind of damage to a perfect log is found, and in a perfect log nothing is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.dead_letters import dead_letter
from core.identity.fuse import LINKS_A_DAY
from schemas.journal import Origin
from schemas.refusal import Reason, Refusal
from schemas.topics import DEAD, IDENTITIES, events_topic

from .business import Sent, business, cloud_event
from .checker import letters, positions
from .damage import (
    bury_what_nobody_published,
    bury_what_was_taken,
    change_a_dead_letter,
    change_an_entry,
    change_the_reason_of_an_alert,
    forget_a_merge,
    forget_a_notification,
    give_another_reason,
    hold_a_wrong_state,
    invent_a_profile,
    keep_a_moved_entry,
    know_an_identifier_as_somebody_else,
    know_an_identifier_too_many,
    link_twice,
    lose_a_letter,
    lose_a_part_of_a_move,
    lose_a_profile,
    lose_a_published_record,
    lose_an_alert,
    lose_an_entry,
    name_another_origin,
    put_an_entry_on_a_second_timeline,
    say_alerts_in_another_order,
    say_an_alert_twice,
    show_a_wrong_profile,
    write_an_entry_twice,
)
from .identities import identities
from .log import Log, Record
from .perfect import CUSTOMERS, EVENTS, IDENTIFIERS, NOW, REGISTRY, World, a_judge, perfect
from .publication import Publication


@pytest.fixture(scope="module")
def world() -> World:
    log = perfect(sent := business(1, EVENTS, CUSTOMERS, NOW * 1000))
    publication = Publication()
    for record in log.of(*map(events_topic, REGISTRY.publishers)):
        assert record.key is not None
        assert record.value is not None
        one = Sent(record.topic, record.key, record.value, tuple(record.headers))
        publication.acknowledge(one, (record.topic, record.partition, record.offset))
    assert len(sent) == len(publication)
    return World(log, publication)


def test_a_perfect_log_is_found_perfect_and_holds_something_of_everything(world: World) -> None:
    judge = a_judge()
    assert [] == list(judge.judge(world.log, world.publication))
    figures = judge.figures(world.log)
    rare = (figures.letters, figures.copies, figures.late, figures.merges, figures.moved, figures.alerts)
    assert all(rare), figures
    assert {"intake", "journey"} == {dead_letter.stage for dead_letter in letters(world.log)}


def test_a_place_that_the_broker_gives_away_a_second_time_is_a_loss() -> None:
    """It cut off the end of its log, which it had acknowledged, and went on from there."""
    topic = events_topic("sales")
    first, second = (Sent(topic, b"k", value, ()) for value in (b"1", b"2"))
    publication = Publication()
    for one in (first, second, second):
        publication.acknowledge(one, (topic, 0, 7))
    stands = Record(topic, 0, 7, NOW, b"k", b"2", ())
    assert [f"{topic}/0/7 was acknowledged; nothing stands there"] == [
        problem.what for problem in publication.problems([stands])
    ]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lose_an_entry, {"lost", "timeline"}),
        (write_an_entry_twice, {"timeline"}),
        (put_an_entry_on_a_second_timeline, {"doubled", "timeline", "identity"}),
        (change_an_entry, {"timeline"}),
        (name_another_origin, {"timeline", "extra"}),
        (keep_a_moved_entry, {"doubled", "timeline", "identity"}),
        (say_an_alert_twice, {"alert doubled"}),
        (lose_an_alert, {"alert lost"}),
        (say_alerts_in_another_order, {"alert order"}),
        (change_the_reason_of_an_alert, {"alert order"}),
        (hold_a_wrong_state, {"profile"}),
        (show_a_wrong_profile, {"profile"}),
        (forget_a_notification, {"profile", "standing alert"}),
        (lose_a_profile, {"profile"}),
        (invent_a_profile, {"profile"}),
        (know_an_identifier_too_many, {"identity"}),
        (know_an_identifier_as_somebody_else, {"identity"}),
        (forget_a_merge, {"identity"}),
        (link_twice, {"identity"}),
        (lose_a_published_record, {"lost", "extra"}),
        (lambda log: lose_a_letter(log, "intake"), {"wrongly taken"}),
        (lambda log: lose_a_letter(log, "journey"), {"lost"}),
        (give_another_reason, {"wrongly buried"}),
        (bury_what_was_taken, {"wrongly buried"}),
        (bury_what_nobody_published, {"extra"}),
        (change_a_dead_letter, {"wrongly buried"}),
    ],
)
def test_damage_is_found_and_called_by_its_name(world: World, damage: Callable[[Log], None], found: set[str]) -> None:
    log = world.copy()
    damage(log)
    assert found == {problem.kind for problem in world.judged(log)}


def test_a_part_of_a_move_that_never_came_is_found(world: World) -> None:
    log = world.copy()
    lose_a_part_of_a_move(log)
    assert "move" in {problem.kind for problem in world.judged(log)}


def test_a_value_that_strangers_share_and_who_is_joined_through_it_is_judged_too() -> None:
    log = perfect([stranger(number) for number in range(LINKS_A_DAY + 5)])
    events = log.of(events_topic("web"))
    assert [] == list(identities(log, events, IDENTIFIERS))
    records = log.records[IDENTITIES, 0]
    records.remove(next(record for record in records if b'"blocked":' in (record.value or b"")))
    assert ["identity"] == [problem.kind for problem in identities(log, events, IDENTIFIERS)]


def stranger(number: int) -> Sent:
    known = [{"type": "customer_no", "value": f"X-{number}"}, {"type": "email", "value": "info@example.com"}]
    data = {"customer": {"identifiers": known}, "url": "https://shop.example/"}
    return Sent(events_topic("web"), b"", cloud_event("web.page.viewed.v1", "/shop", str(number), NOW * 1000, data))


def letter_of(record: Record, last: int | None = None) -> Record:
    """What intake says of the record, or of all from it up to ``last``."""
    origin = Origin(record.topic, record.partition, record.offset)
    value = record.value if last is None else b"the raw batch"
    made = dead_letter(record.key, value, record.headers, "intake", origin, Refusal(Reason.TOO_LARGE, ""), last)
    return Record(DEAD, 0, record.offset, NOW, made.key, made.value, made.headers)


def test_a_letter_about_a_range_accounts_for_each_of_its_records_and_a_cut_one_for_what_it_kept() -> None:
    events = [Record(events_topic("web"), 0, offset, NOW, b"", b"%d" % offset * 1_500_000) for offset in range(4)]
    must_be_buried = {record.value or b"": "too-large" for record in events}
    log = Log()
    for made in (letter_of(events[0]), letter_of(events[1], last=7)):
        log.add(made)
    assert [] == list(positions(log, events, must_be_buried))
    log.records[DEAD, 0][0] = letter_of(events[0])._replace(value=b"1")
    assert ["wrongly buried"] == [problem.kind for problem in positions(log, events, must_be_buried)]
    log.records[DEAD, 0][1] = letter_of(events[1], last=2)
    assert {"wrongly buried", "wrongly taken"} == {problem.kind for problem in positions(log, events, must_be_buried)}
