"""Two trees that do the same units of work in turns, and a benchmark on another tree's code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.against import Compared, Ended, Side, Unit, compared, parsed, table
from benchmarks.elsewhere import measuring
from benchmarks.worker import ROOT


def test_a_tree_against_itself_does_the_same_units_and_writes_the_same() -> None:
    found = compared(ROOT, parsed([str(ROOT), "--events", "60", "--customers", "5", "--unit", "25"]))
    assert found.same
    assert [25, 25] == [one.events for one in found.this][:2]
    assert len(found.this) == len(found.other)
    assert min(min(one.intake, one.journey) for one in [*found.this, *found.other]) > 0


def test_a_ratio_is_the_median_of_the_units() -> None:
    other = [Unit(100, 0.001, 0.01)] * 4
    this = [Unit(100, 0.001, 0.01 * share) for share in (0.4, 0.5, 0.5, 9.0)]
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table(Compared(this, other, True)).splitlines()
    ]
    assert ["intake", "10.0", "10.0", "1.000"] == lines[2][:4]
    assert ["journey", "100.0", "260.0", "0.500"] == lines[3][:4]


def test_a_tree_whose_code_is_no_good_is_told(tmp_path: Path) -> None:
    (tmp_path / "agents.py").write_text("raise SystemExit('no bus here')")
    with Side(tmp_path, "stepwise", {}) as side, pytest.raises(Ended, match="no bus here"):
        side.hear()


def test_benchmarks_are_this_trees_and_all_else_is_the_others(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").touch()
    (tmp_path / "benchmarks").mkdir()
    asked = "import benchmarks, core, os; print(os.path.realpath(benchmarks.__path__[0])); print(core.__path__[0])"
    with measuring(tmp_path) as environment:
        done = subprocess.run([sys.executable, "-P", "-c", asked], env=environment, capture_output=True, text=True)
    assert [str(ROOT / "benchmarks"), str(tmp_path / "core")] == done.stdout.split()


def test_settings_of_a_bus_do_not_reach_what_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXBUS_DATA_DIR", "elsewhere")
    with measuring(tmp_path) as environment:
        assert not [name for name in environment if name.startswith("CXBUS_")]
        assert os.environ["PATH"] == environment["PATH"]
