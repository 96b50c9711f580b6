"""Medians, ratios and how they are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.outcome import Timeline
from benchmarks.race import Round
from benchmarks.table import CPU_HEADINGS, HEADINGS, cpu, markdown, rows


def measured(contestant: str, number: int, seconds: float, alerts: int | None = 5) -> Round:
    timeline = None if alerts is None else Timeline(990, 0, 0, 0, 40 + number, 0.0)
    found = {} if alerts is None else {"a": alerts - 1, "b": 1}
    return Round(contestant, number, 1_000, seconds, 0.5 * seconds, 0.1, 100.0 + number, timeline, found)


ROUNDS = [
    measured("cxbus", 1, 0.1),
    measured("kafka_streams", 1, 0.2),
    measured("plain_faust", 1, 2.0, 6),
    measured("limit", 1, 0.05, None),
    measured("cxbus", 2, 0.4),
    measured("kafka_streams", 2, 0.2),
    measured("cxbus", 3, 0.125),
]


def test_a_row_holds_the_median_of_its_rounds_and_the_fastest_comes_first() -> None:
    found = rows(ROUNDS)
    assert ["limit", "cxbus", "kafka_streams", "plain_faust"] == [row.contestant for row in found]
    cxbus = found[1]
    assert (3, 8_000.0, 102.0, 990, 42, 5) == (
        cxbus.rounds,
        cxbus.events_per_second,
        cxbus.mebibytes,
        cxbus.entries,
        cxbus.late,
        cxbus.alerts,
    )
    assert 62.5 == cxbus.cpu_seconds_per_million
    assert 100.0 == cxbus.broker_cpu_seconds_per_million
    assert (10_000 - 2_500) / 8_000 == cxbus.spread


def test_ratios_are_those_of_the_medians() -> None:
    cxbus = rows(ROUNDS)[1]
    assert (1.6, 16.0, 0.4) == (cxbus.by_streams, cxbus.by_plain, cxbus.of_limit)


def test_who_was_not_there_is_compared_with_nobody() -> None:
    (row,) = rows(ROUNDS[:1])
    assert (None, None, None) == (row.by_streams, row.by_plain, row.of_limit)
    assert ("", "", "") == row.cells()[3:6]


def test_two_are_compared_with_two() -> None:
    found = [measured("cxbus", 1, 0.2), measured("cxbus-2", 1, 0.1), measured("kafka_streams", 1, 0.1)]
    assert [None, 0.5] == [row.by_streams for row in rows(found) if row.contestant != "kafka_streams"]
    both = [*found, measured("kafka_streams-2", 1, 0.05)]
    (two,) = [row for row in rows(both) if row.contestant == "cxbus-2"]
    assert 0.5 == two.by_streams
    lines = cpu([*both, measured("other", 1, 0.1)])
    assert ("cxbus-2", "150", "1.20", "", "", "") == next(line for line in lines if line[0] == "cxbus-2")


def test_what_compilers_took_has_a_column_of_its_own() -> None:
    (row,) = rows([replace(measured("kafka_streams", 1, 0.2), compiling_seconds=0.02)])
    assert (100.0, 20.0) == (row.cpu_seconds_per_million, row.compiling_seconds_per_million)
    assert "20" == row.cells()[HEADINGS.index("compiling")]


def test_the_limit_has_neither_entries_nor_alerts() -> None:
    limit = rows(ROUNDS)[0]
    assert ("", "", "") == limit.cells()[-3:]


def test_without_a_broker_on_this_machine_its_cost_is_left_out() -> None:
    elsewhere = Round("cxbus", 1, 1_000, 1.0, 0.5, None, 100.0)
    (row,) = rows([elsewhere])
    assert row.broker_cpu_seconds_per_million is None


def test_there_is_a_heading_for_every_cell() -> None:
    assert len(HEADINGS) == len(rows(ROUNDS)[0].cells())
    assert {len(CPU_HEADINGS)} == {len(cells) for cells in cpu(ROUNDS)}


def test_cpu_counts_the_brokers_too_and_is_compared_round_by_round() -> None:
    other = [measured("other", 1, 0.4), measured("other", 2, 0.2), measured("other", 3, 0.225)]
    cxbus, streams, *_ = cpu([*ROUNDS, *other])
    assert ("cxbus", "162", "1.13", "0.76", "0.50", "1.50") == cxbus
    assert ("kafka_streams", "200", "1.00") == streams[:3]


def test_cpu_is_compared_with_nobody_who_was_not_there() -> None:
    assert [("cxbus", "150", "", "", "", "")] == cpu(ROUNDS[:1])


def test_without_a_broker_on_this_machine_nobody_is_compared() -> None:
    assert [] == cpu([Round("cxbus", 1, 1_000, 1.0, 0.5, None, 100.0)])


def test_a_table_is_markdown_that_reads_as_text() -> None:
    expected = "| who  |  n |\n| ---- | -: |\n| me   |  1 |\n| they | 20 |"
    assert expected == markdown(("who", "n"), [("me", "1"), ("they", "20")])


def test_a_line_with_a_cell_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        markdown(("who", "n"), [("me",)])
