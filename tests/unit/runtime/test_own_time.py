"""Own time: what a busy machine, a stop of the process or a busy loop takes from a process is not counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.own_time import MOST, STEP, OwnTime, Pulse, queued


def turned(*turns: tuple[float, float]) -> float:
    own = OwnTime(100.0, 7.0)
    for now, queue in turns:
        own.turn(100.0 + now, 7.0 + queue)
    return own.seconds


def test_on_an_idle_machine_it_is_the_clock() -> None:
    assert 60.0 == pytest.approx(turned(*((STEP * n, 0.0) for n in range(1, 601))))


def test_a_process_that_was_stopped_is_given_one_turn_for_it() -> None:
    assert MOST == turned((3_600.0, 0.0))


def test_a_tenth_of_the_time_counts_for_about_a_tenth() -> None:
    """Stopped for 0.9 s of each second."""
    beats = [(second + 0.9 + part, 0.0) for second in range(100) for part in (0.0, 0.05, 0.1)]
    assert turned(*beats) < 100 / 3


def test_waiting_for_a_processor_is_not_counted() -> None:
    assert 6.0 == pytest.approx(turned(*((STEP * n, 0.9 * STEP * n) for n in range(1, 601))))


def test_a_queue_that_ran_backwards_or_past_the_clock_counts_for_nothing() -> None:
    assert 0.0 == turned((0.1, 0.3))
    assert 0.1 == pytest.approx(turned((0.1, -1.0)))


def test_where_the_system_does_not_tell_the_queue_it_is_none(tmp_path: Path) -> None:
    assert 0.0 == queued(tmp_path / "nothing")
    (tmp_path / "odd").write_text("?")
    assert 0.0 == queued(tmp_path / "odd")


def test_a_pulse_is_as_old_as_its_last_beat() -> None:
    pulse = Pulse()
    pulse.beat()
    assert 0 <= pulse.age() < 5
