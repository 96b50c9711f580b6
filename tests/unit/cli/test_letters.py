"""Dead letters: copies count once, a retry that failed again replaces what it was a retry of."""

from __future__ import annotations

from cli.feed import Record
from cli.letters import Letter, chosen, letters


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
    expected = Letter(
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
