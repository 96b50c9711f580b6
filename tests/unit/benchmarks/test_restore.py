"""How recoveries are compared."""

from __future__ import annotations

from benchmarks.preload import Population
from benchmarks.recovery import Recovered
from benchmarks.restore import COLD, WARM, WHOLE, parsed, table


def recovered(contestant: str, number: int, records: int, seconds: float, customers: int = 100) -> Recovered:
    return Recovered(contestant, number, Population(customers, 5), records, seconds, seconds + 2, 1.0, 200.0)


FOUND = [
    recovered(COLD, 1, 600, 2.0),
    recovered(WARM, 1, 0, 0.1),
    recovered("faust_memory", 1, 60, 2.0, 10),
    recovered(COLD, 2, 600, 4.0),
    recovered(COLD, 3, 600, 3.0),
    recovered(WHOLE, 1, 801, 3.5),
]


def cells(contestant: str, found: list[Recovered] = FOUND) -> list[str]:
    (line,) = [line for line in table(found).splitlines() if line.startswith(f"| {contestant} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_line_has_the_medians_and_the_ratio_to_faust() -> None:
    assert ["cxbus", "100", "500", "600", "3.0", "200", "6.7", "5.0", "1", "200"] == cells("cxbus")
    assert ["faust_memory", "10", "50", "60", "2.0", "30", "1.0", "4.0", "1", "200"] == cells("faust_memory")


def test_a_warm_cache_reads_nothing_and_has_no_rate() -> None:
    assert ["", ""] == cells(WARM)[5:7]
    assert ["", ""] == cells(WHOLE)[5:7]


def test_without_faust_there_is_no_ratio() -> None:
    assert ["300", ""] == cells("cxbus", FOUND[:1])[5:7]


def test_sizes_are_those_of_the_issue_unless_said() -> None:
    options = parsed([])
    assert (1_000_000, 5_000_000, 10) == (options.customers, options.entries, options.tenth)
    assert ("memory", "rocksdb") == options.stores
