"""When a process is given up: it refuses, or is silent, for long, by several answers."""

from __future__ import annotations

from cli.health import AnnouncedProcess, PageAnswer
from cli.liveness import Liveness

ONE, NEXT = AnnouncedProcess("worker-0", 7, "http://h:1"), AnnouncedProcess("worker-0", 8, "http://h:2")
WELL, ILL = PageAnswer(True, "last heartbeat 0.1 s ago"), PageAnswer(False, "last heartbeat 42.0 s ago")


def complaints(*seen: tuple[float, AnnouncedProcess | None, PageAnswer | None]) -> list[str | None]:
    pulse = Liveness()
    return [pulse.complaint(process, answer, now) for now, process, answer in seen]


def test_who_refuses_for_a_quarter_of_a_minute_is_given_up() -> None:
    found = complaints((0, ONE, WELL), (2, ONE, ILL), (10, ONE, ILL), (16, ONE, ILL), (17, ONE, ILL))
    assert [None, None, None, None, "has been stuck (last heartbeat 42.0 s ago) for 15 s"] == found


def test_who_is_silent_for_as_long_is_given_up() -> None:
    found = complaints((0, ONE, None), (7, ONE, None), (14, ONE, None), (21, ONE, None))
    assert [None, None, None, "has not answered for 21 s"] == found


def test_one_good_answer_ends_it() -> None:
    assert [None] * 5 == complaints((0, ONE, ILL), (7, ONE, ILL), (14, ONE, WELL), (15, ONE, ILL), (29, ONE, None))


def test_one_who_could_not_look_for_long_has_seen_nothing() -> None:
    """The supervisor itself was frozen."""
    assert [None, None] == complaints((0, ONE, ILL), (900, ONE, ILL))


def test_who_is_starting_or_new_is_not_judged_by_what_was_before() -> None:
    seen = [(0.0, ONE, ILL), (10.0, ONE, ILL), (14.0, None, None), (20.0, NEXT, ILL), (34.0, NEXT, ILL)]
    assert [None] * 5 == complaints(*seen)
    assert [None] * 3 == complaints((0, ONE, ILL), (10, ONE, ILL), (20, NEXT, ILL))


def test_after_a_complaint_the_next_one_takes_as_long() -> None:
    found = complaints(*((float(second), ONE, ILL) for second in range(0, 48, 4)))
    assert [4, 9] == [number for number, words in enumerate(found) if words]
