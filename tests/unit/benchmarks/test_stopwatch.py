"""How delays are counted."""

from __future__ import annotations

import pytest

from benchmarks.stopwatch import Delays, Stopwatch, percentile


def test_delays_are_from_publishing_to_the_first_reading() -> None:
    watch = Stopwatch(begin=0.0)
    for number, delay in enumerate((0.010, 0.020, 0.040)):
        watch.publish(f"P{number}", 10.0 + number)
        watch.alert(f"P{number}", 10.0 + number + delay)
        watch.alert(f"P{number}", 99.0)
    found = watch.delays()
    assert (3, 0) == (found.alerts, found.missing)
    assert [20.0, 40.0, 40.0] == pytest.approx([found.p50, found.p99, found.most])


def test_what_warms_up_does_not_count_and_what_never_comes_is_told() -> None:
    watch = Stopwatch(begin=100.0)
    watch.publish("warm", 99.0)
    watch.alert("warm", 99.9)
    watch.publish("lost while warm", 99.5)
    watch.publish("counts", 100.0)
    watch.publish("lost", 101.0)
    assert 2 == watch.waiting
    watch.alert("counts", 100.25)
    watch.alert("of somebody else", 100.3)
    assert 1 == watch.waiting
    assert Delays(1, 1, 250.0, 250.0, 250.0) == watch.delays()


def test_without_any_alert_there_is_no_delay() -> None:
    watch = Stopwatch(begin=0.0)
    watch.publish("lost", 1.0)
    with pytest.raises(ValueError, match="no alert came"):
        watch.delays()


def test_a_percentile_is_one_of_the_sizes_by_nearest_rank() -> None:
    sizes = list(range(1, 101))
    assert (50, 99, 100, 1) == tuple(percentile(sizes, share) for share in (0.5, 0.99, 1.0, 0.0))
    assert 7 == percentile([7], 0.99)
    assert 2 == percentile([1, 2, 3, 4], 0.5)
