"""What a run leaves behind."""

from __future__ import annotations

from pathlib import Path

import orjson

from benchmarks.machine import Machine
from benchmarks.report import Report
from benchmarks.scenario import Scenario

from .test_table import ROUNDS

MACHINE = Machine("2 x CPU", 4096, "Linux 6", {"python": "3.11.9", "kafka": "4.3.1"}, "abc1234+", (0.1, 1.9))
REPORT = Report(
    "2026-11-22", Scenario.named("20k-uniform", 1_000), 4, 4_000.0, MACHINE, ROUNDS, {"quix": "there is none"}
)


def test_both_files_are_named_by_date_commit_scenario_and_events(tmp_path: Path) -> None:
    assert tmp_path / "2026-11-22-abc1234-changed-20k-uniform-1000.md" == REPORT.write(tmp_path)
    assert {".json", ".md"} == {path.suffix for path in tmp_path.iterdir()}


def test_the_document_holds_the_table_every_round_machine_and_settings(tmp_path: Path) -> None:
    held = orjson.loads(REPORT.write(tmp_path).with_suffix(".json").read_bytes())
    assert len(ROUNDS) == len(held["rounds"])
    assert 10_000 == held["rounds"][0]["events_per_second"]
    assert 1.6 == held["table"][1]["by_streams"]
    assert ("abc1234+", "4.3.1") == (held["machine"]["commit"], held["machine"]["versions"]["kafka"])
    assert (20_000, 4, 4_000) == (held["scenario"]["customers"], held["partitions"], held["rate"])


def test_the_text_says_where_it_was_measured_and_who_was_not() -> None:
    text = REPORT.text()
    assert "2 x CPU, 4 GiB, Linux 6; load 0.1 before, 1.9 after; python 3.11.9, kafka 4.3.1; commit abc1234+" in text
    assert "Not measured, or not in all rounds: quix: there is none" in text
    assert "| plain_faust              | 5 | 1 |" in text
