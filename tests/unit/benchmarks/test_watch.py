"""When a contestant is done, and when it is given up."""

from __future__ import annotations

from benchmarks.watch import QUIET, STALL, Progress


def test_a_timeline_is_complete_when_it_is_long_enough_and_has_been_quiet() -> None:
    progress = Progress(0, 0.0)
    progress.note(99, 1.0)
    assert not progress.done(100, 1.0 + QUIET)
    progress.note(100, 7.0)
    assert not progress.done(100, 7.0 + QUIET / 2)
    assert progress.done(100, 7.0 + QUIET)


def test_more_records_than_expected_are_waited_for() -> None:
    progress = Progress(0, 0.0)
    progress.note(100, 1.0)
    progress.note(150, 5.0)
    assert not progress.done(100, 1.0 + QUIET)
    assert progress.done(100, 5.0 + QUIET)


def test_whoever_stands_still_is_given_up() -> None:
    progress = Progress(0, 0.0)
    progress.note(5, 10.0)
    progress.note(5, 20.0)
    assert not progress.stalled(10.0 + STALL - 1)
    assert progress.stalled(10.0 + STALL)
