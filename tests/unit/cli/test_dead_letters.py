"""Dead letters: copies count once, a retry that failed again replaces what it was a retry of."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from agents.dead_letters import dead_letter
from cli.dead_letters import DeadLetter, chosen, letters, unsendable
from engine.kafka.record import Record
from schemas.codec import MAX_BYTES
from schemas.journal import Origin
from schemas.refusal import Reason as WrongBy
from schemas.refusal import Refusal


def dead(offset: int, origin: tuple[str, int, int], *, reason: str = "invalid-data", retry_of: str = "") -> Record:
    topic, partition, place = origin
    headers = [
        ("content-type", b"application/cloudevents+json"),
        *([("__cxbus.retry-of", retry_of.encode())] if retry_of else []),
        ("__cxbus.errors.stage", b"intake"),
        ("__cxbus.errors.topic", topic.encode()),
        ("__cxbus.errors.partition", str(partition).encode()),
        ("__cxbus.errors.offset", str(place).encode()),
        ("__cxbus.errors.exception", reason.encode()),
        ("__cxbus.errors.message", b"data.total is missing."),
    ]
    return Record("cx.dead.v1", 0, offset, 1_772_442_000_000 + offset, b"key", b"{}", tuple(headers))


SALES = "cx.sales.events.v1"


def test_a_letter_keeps_what_came_and_tells_the_reason() -> None:
    (letter,) = letters([dead(12, (SALES, 3, 7))])
    expected = DeadLetter(
        number=12,
        place="cx.dead.v1/0/12",
        at=1_772_442_000_012_000,
        topic=SALES,
        origin=f"{SALES}/3/7",
        stage="intake",
        reason="invalid-data",
        message="data.total is missing.",
        key=b"key",
        value=b"{}",
        headers=(("content-type", b"application/cloudevents+json"),),
        retry_of=None,
    )
    assert expected == letter


def test_copies_of_a_letter_count_once() -> None:
    (letter,) = letters([dead(1, (SALES, 0, 7)), dead(2, (SALES, 0, 7))])
    assert (1, 2) == (letter.number, letter.copies)


def test_one_record_may_be_dead_for_two_reasons() -> None:
    found = letters([dead(1, (SALES, 0, 7), reason="id-reused"), dead(2, (SALES, 0, 7), reason="decision-error")])
    assert [1, 2] == [letter.number for letter in found]


def test_a_retry_that_failed_again_is_the_newer_letter() -> None:
    found = letters(
        [
            dead(1, (SALES, 0, 7)),
            dead(2, (SALES, 0, 7)),
            dead(3, (SALES, 0, 9), retry_of="cx.dead.v1/0/2"),
            dead(4, (SALES, 0, 11), retry_of="cx.dead.v1/0/3"),
        ]
    )
    assert [(1, 3), (3, 4), (4, None)] == [(letter.number, letter.again) for letter in found]


def test_a_retry_of_a_letter_that_is_gone_by_now_is_harmless() -> None:
    (letter,) = letters([dead(9, (SALES, 0, 7), retry_of="cx.dead.v1/0/1")])
    assert (None, "cx.dead.v1/0/1") == (letter.again, letter.retry_of)


def test_what_somebody_else_put_there_is_a_letter_without_an_origin() -> None:
    records = [Record("cx.dead.v1", 0, offset, 0, None, None, ()) for offset in (4, 5)]
    assert [("", "cx.dead.v1/0/4"), ("", "cx.dead.v1/0/5")] == [(one.topic, one.origin) for one in letters(records)]


def test_a_letter_is_found_by_number_and_by_origin() -> None:
    found = letters([dead(1, (SALES, 0, 7)), dead(2, (SALES, 0, 8))])
    assert found[1] == chosen(found, "2")
    assert found[1] == chosen(found, f"{SALES}/0/8")
    assert chosen(found, "3") is None


def too_large(offset: int = 3, value: bytes = b"0" * 2_000_000, last: int | None = None) -> Record:
    origin = Origin(SALES, 0, offset)
    made = dead_letter(
        b"key", value, (("x-team", b"sales"),), "intake", origin, Refusal(WrongBy.TOO_LARGE, "Too large."), last
    )
    return Record("cx.dead.v1", 0, offset, 0, made.key, made.value, made.headers)


def test_a_cut_letter_says_how_large_what_came_was_and_knows_it_again() -> None:
    (found,) = letters([too_large()])
    cut = found.cut
    assert cut is not None
    assert (3, 2_000_000, 1) == (cut.key_bytes, cut.value_bytes, cut.headers)
    assert cut.of(b"0" * 2_000_000)
    assert not cut.of(b"0" * 2_000_001)
    assert (("x-team", b"sales"),) == found.headers


def test_a_letter_about_a_range_is_found_by_each_of_its_places() -> None:
    (found,) = letters([too_large(3, last=9)])
    assert (SALES, 0, 3, 9) == (found.topic, found.partition, found.offset, found.last)
    assert [False, True, True, False] == [found.about(f"{SALES}/0/{offset}") for offset in (2, 3, 9, 10)]
    assert not found.about(f"{SALES}/1/4")
    assert found == chosen([found], f"{SALES}/0/5")


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (too_large(), "its value has 2000000 bytes, and an event may have at most 262144"),
        (too_large(value=b"0" * 300_000), "its value has 300000 bytes, and an event may have at most 262144"),
        (too_large(last=9), "its records could not be decompressed"),
        (Record("cx.dead.v1", 0, 4, 0, None, b"{}", ()), "it names no origin"),
        (dead(1, ("cx.journal.v1", 0, 7), reason="foreign-record"), "no department publishes on cx.journal.v1"),
        (dead(1, (SALES, 0, 7)), None),
    ],
)
def test_what_can_never_be_taken_in_is_not_sent_again(record: Record, why: str | None) -> None:
    (found,) = letters([record])
    assert why == unsendable(found, MAX_BYTES)


def test_a_letter_whose_key_alone_is_too_large_is_not_sent_as_it_was_cut() -> None:
    made = dead_letter(b"k" * 2_000_000, b"{}", (), "intake", Origin(SALES, 0, 3), Refusal(WrongBy.NOT_JSON, "No."))
    (found,) = letters([Record("cx.dead.v1", 0, 0, 0, made.key, made.value, made.headers)])
    assert "its key and headers are too large for the topic" == unsendable(found, MAX_BYTES)


def test_an_event_hides_no_letter_of_another_department_whatever_it_says_to_be_a_retry_of() -> None:
    first, second = dead(3, (SALES, 0, 1)), dead(4, ("cx.web.events.v1", 0, 9), retry_of="cx.dead.v1/0/3")
    itself = dead(5, (SALES, 0, 2), retry_of="cx.dead.v1/0/5")
    assert [None] * 3 == [one.again for one in letters([first, second, itself])]


@pytest.mark.parametrize("name", ["last-offset", "offset", "partition", "value-bytes"])
def test_no_number_that_somebody_made_up_keeps_the_letters_from_being_shown(name: str) -> None:
    forged = dead(3, (SALES, 0, 1))
    headers = (*forged.headers, ("__cxbus.errors.cut", b"1"), (f"__cxbus.errors.{name}", b"9" * 5_000))
    (letter,) = letters([replace(forged, headers=headers)])
    assert chosen([letter], f"{SALES}/0/1") in (letter, None)
    assert isinstance(letter.offset, int)
    assert isinstance(letter.partition, int)
