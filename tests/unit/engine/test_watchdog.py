"""The watchdog complains of what stands still, and only of that."""

from __future__ import annotations

from faust.types import TP

from engine.faust.partition_buffer import Progress
from engine.faust.watchdog import Watchdog

ONE, TWO = TP("journal", 1), TP("journal", 2)


def complaints(*seen: tuple[float, dict[TP, Progress]]) -> list[str | None]:
    watchdog = Watchdog(still=60, rebalance=300)
    return [watchdog.complaint(progress, now, rebalancing=False, restoring=False) for now, progress in seen]


def test_an_open_batch_that_is_not_done_for_too_long_is_named() -> None:
    stuck, busy = Progress(3, 1, 0), [Progress(done, 1, 0) for done in range(3)]
    found = complaints(
        (0, {ONE: stuck, TWO: busy[0]}), (60, {ONE: stuck, TWO: busy[1]}), (61, {ONE: stuck, TWO: busy[2]})
    )
    assert [None, None, "partition 1 of journal: a batch has not finished after 60 s"] == found


def test_batches_that_are_done_keep_it_quiet() -> None:
    assert [None] * 50 == complaints(*((10.0 * n, {ONE: Progress(n, 2, 5_000)}) for n in range(50)))


def test_lag_of_which_nothing_is_ever_handed_out_is_noticed() -> None:
    behind = {ONE: Progress(3, 0, 10), TWO: Progress(1, 0, 0)}
    assert [None, None, "there is lag, and no batch has finished for 60 s"] == complaints(
        (0, behind), (60, behind), (61, behind)
    )


def test_a_partition_that_waits_for_others_is_not_stuck() -> None:
    assert [None] * 50 == complaints(
        *((10.0 * n, {ONE: Progress(3, 0, 10), TWO: Progress(n, 1, 5_000)}) for n in range(50))
    )


def test_nothing_to_do_is_not_standing_still() -> None:
    idle = {ONE: Progress(3, 0, 0)}
    assert [None, None, None] == complaints((0, idle), (1_000, idle), (2_000, {}))


def test_idle_time_does_not_count_against_the_first_batch_after_it() -> None:
    found = complaints(
        (0, {ONE: Progress(3, 0, 0)}), (1_000, {ONE: Progress(3, 1, 7)}), (1_059, {ONE: Progress(3, 1, 7)})
    )
    assert [None, None, None] == found


def test_a_restore_may_take_any_time_and_counts_for_nothing() -> None:
    watchdog = Watchdog(still=60, rebalance=300)
    stuck = {ONE: Progress(0, 1, 9)}
    for now in range(0, 10_000, 50):
        assert None is watchdog.complaint(stuck, now, rebalancing=False, restoring=True)
    assert None is watchdog.complaint(stuck, 10_050, rebalancing=False, restoring=False)
    assert None is not watchdog.complaint(stuck, 10_120, rebalancing=False, restoring=False)


def test_a_rebalance_that_does_not_end_is_noticed() -> None:
    watchdog = Watchdog(still=60, rebalance=300)
    found = [watchdog.complaint({}, now, rebalancing=now > 0, restoring=False) for now in (0, 100, 300, 301)]
    assert [None, None, None, "a rebalance did not end within 300 s"] == found
