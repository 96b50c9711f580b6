"""What is compared with what when there are more customers or entries."""

from __future__ import annotations

from itertools import pairwise

from benchmarks.growth import Measured, Series, all_series, named, parsed, table
from benchmarks.inhabited import Worked
from benchmarks.preload import Population
from benchmarks.traffic import scattered
from core.timeline.entry import DAY

SIZES = (Population(50_000, 1), Population(5_000_000, 1))
FIRST = 1_795_000_000_000_000
LAST = FIRST + 10_000_000


def worked(size: Population, number: int, cpu: float) -> Worked:
    return Worked(named(size), number, 1_000, 5, 0.1, cpu, 0.05, 300.0 + number)


MEASURED = Measured(
    Series("Customers", SIZES, 1_000),
    [
        worked(size, number, cpu * (1 + number / 10))
        for number in (1, 2, 3)
        for size, cpu in zip(SIZES, (0.1, 0.15), strict=True)
    ],
    {named(size): 200.0 for size in SIZES},
)


def test_a_size_is_compared_with_the_first_one() -> None:
    *_, one, other = [[cell.strip() for cell in line.strip("|").split("|")] for line in table(MEASURED).splitlines()]
    assert ["50,000 × 1", "120", "1.00", "17%", "0.5%", "10,000", "50", "200", "303"] == one
    assert ["5,000,000 × 1", "180", "1.50"] == other[:3]


def test_sizes_are_those_of_the_issue_unless_said() -> None:
    customers, recent, timelines = all_series(parsed([]))
    assert [50_000, 1_000_000, 5_000_000] == [size.customers for size in customers.sizes]
    assert [5, 50] == [size.entries for size in recent.sizes]
    assert [10, 10_000] == [size.entries for size in timelines.sizes]
    assert 1 == len({size.customers for size in recent.sizes})
    assert 1 == len({size.customers for size in timelines.sizes})


def test_entries_that_are_recent_stay_so_while_rounds_are_worked_off() -> None:
    options = parsed(["--rounds", "9"])
    _, recent, _ = all_series(options)
    assert 10 * recent.turn < 0.1 * options.recent_days * DAY


def test_a_series_can_be_left_out() -> None:
    (only,) = all_series(parsed(["--customers", "", "--recent", ""]))
    assert "Timelines" == only.title


def test_scattered_traffic_is_as_long_as_said_steady_and_ends_at_the_last_instant() -> None:
    found = list(scattered(50, 1_000, FIRST, LAST, 1))
    assert 1_000 == len(found) == len({one.event for one in found})
    assert LAST == found[-1].at
    assert {10_000} == {other.at - one.at for one, other in pairwise(found)}
    assert 50 == len({one.key for one in found})


def test_in_one_turn_a_customer_deals_with_one_department_and_in_the_next_with_another() -> None:
    one, other = ({(record.key, record.topic) for record in scattered(50, 1_000, FIRST, LAST, turn)} for turn in (1, 2))
    assert 50 == len(one) == len(other)
    assert not one & other


def test_no_event_comes_in_two_turns() -> None:
    one, other = ({record.event for record in scattered(5, 500, FIRST, LAST, turn)} for turn in (1, 2))
    assert not one & other
