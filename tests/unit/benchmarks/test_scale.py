"""What several workers and a sink are said to have done."""

from __future__ import annotations

import pytest

from benchmarks.bus import copied
from benchmarks.contestant import Failed
from benchmarks.copying import Copied, Count
from benchmarks.race import Round
from benchmarks.scale import ALONE, BESIDE, Findings, sinks
from benchmarks.watch import QUIET
from benchmarks.worker import Figures


def ran(contestant: str, seconds: float, **details: float) -> Round:
    return Round(contestant, 1, 1_000, seconds, 0.1, None, 150.0, details=details)


SINK = {"sink_records": 3_000.0, "sink_behind": 20.0, "sink_cpu_seconds": 1.5}
FINDINGS = Findings(
    {4: [ran("workers-1", 0.1), ran("workers-2", 0.05)], 12: [ran("workers-1", 0.2), ran("workers-2", 0.1)]},
    [ran(ALONE, 0.1), ran(BESIDE, 0.125, **SINK)],
    [Copied(1, 2_000, 0.5, 0.2, 90.0, 12.0)],
    ["12 partitions, workers-3: it ended"],
)


def test_all_sizes_are_compared_with_one_worker_on_the_fewest_partitions() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in next(FINDINGS.paragraphs()).splitlines()]
    assert [["1", "4", "1.00"], ["2", "4", "2.00"], ["1", "12", "0.50"], ["2", "12", "1.00"]] == [
        [row[0], row[1], row[4]] for row in rows[2:]
    ]


def test_the_text_says_what_the_sink_did_and_who_failed() -> None:
    text = "\n".join(FINDINGS.paragraphs())
    assert "had copied 3,000 records at the end, 20 were left" in text
    assert "4,000 records/s (2,000 records), 100 s of CPU per million" in text
    assert "workers-3: it ended" in text
    assert "did not take part" == sinks([ran(ALONE, 0.1)])


def test_the_document_has_every_round_with_its_rate() -> None:
    document = FINDINGS.document()
    assert [(4, 10_000), (4, 20_000), (12, 5_000), (12, 10_000)] == [
        (one["partitions"], one["events_per_second"]) for one in document["workers"]
    ]
    assert 4_000 == document["copies"][0]["records_per_second"]


def test_the_rate_of_a_copy_is_that_of_what_came_after_the_first_transaction() -> None:
    count = Count()
    for records, at in ((0, 1.0), (500, 2.0), (1_500, 3.0), (2_500, 4.0), (2_500, 5.0)):
        count.note(records, at)
    assert (2_000, 2.0) == count.copied()


def test_a_copy_is_done_when_nothing_is_left_and_nothing_comes() -> None:
    count = Count()
    assert not count.done(0, 9.0)
    count.note(500, 10.0)
    assert not count.done(0, 10.0 + QUIET / 2)
    assert not count.done(3, 10.0 + QUIET)
    assert count.done(0, 10.0 + QUIET)


def test_one_transaction_makes_no_rate() -> None:
    count = Count()
    count.note(500, 10.0)
    with pytest.raises(Failed, match="too little"):
        count.copied()


def test_the_pages_of_several_processes_are_summed() -> None:
    page = "# TYPE cxbus_sink_records counter\ncxbus_sink_records_total 5\n"
    assert 10 == copied(Figures(page, page))["sink_records"]
    assert (5, 0) == (Figures(page, page).most("cxbus_sink_records_total"), Figures().most("cxbus_sink_records_total"))
