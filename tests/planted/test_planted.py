"""The list of bugs fits the source, and who plants them can tell a caught one from one that survives."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.planted.__main__ import CAUGHT, SURVIVED, UNUSABLE, main
from tests.planted.bug import Bug, OutOfDate
from tests.planted.bugs import BUGS
from tests.planted.checks import OWN_BROKER
from tests.planted.plant import ROOT, Copy

REAL = next(bug for bug in BUGS if bug.name == "end-off-by-one")
HARMLESS = replace(
    REAL,
    name="harmless",
    old="        found = []\n        for matter in self._meant(now):\n",
    new="        found = list[Evidence]()\n        for matter in self._meant(now):\n",
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bugs_text_stands_once_in_the_source_and_changes_it(bug: Bug) -> None:
    assert bug.planted(ROOT) != (ROOT / bug.file).read_text(encoding="utf-8")
    assert bug.checks


def test_no_two_bugs_have_one_name() -> None:
    assert len(BUGS) == len({bug.name for bug in BUGS})


def test_a_planted_bug_is_a_mistake_of_meaning_and_not_of_language(tmp_path: Path) -> None:
    """A name that does not exist would be caught by every test, and show nothing."""
    for bug in BUGS:
        path = tmp_path / bug.name / bug.file
        path.parent.mkdir(parents=True)
        path.write_text(bug.planted(ROOT), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "E9,F821,F823", "."]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (0, "All checks passed!\n") == (found.returncode, found.stdout)


def test_every_check_is_there() -> None:
    checks = sorted({*(check for bug in BUGS for check in bug.checks), *OWN_BROKER})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *checks]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 0 == found.returncode, found.stdout[-2_000:] + found.stderr[-2_000:]


def test_a_bug_is_caught_and_a_harmless_change_survives_and_that_is_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert SURVIVED == main(["--seconds", "120"], [REAL, HARMLESS])
    said = capsys.readouterr().out.splitlines()
    assert ["unchanged:", "end-off-by-one", "harmless", "2", "nothing"] == [line.split()[0] for line in said]
    assert said[1].endswith("test_edges.py::test_a_case_opened_and_resolved_in_one_instant_is_closed[5]")
    assert said[2].endswith("SURVIVED")
    assert "nothing catches harmless: a test is missing" == said[4]


def test_a_list_that_is_out_of_date_and_checks_that_do_not_run_say_nothing_about_bugs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert UNUSABLE == main([], [replace(REAL, old="return every + instant")])
    assert "its text stands 0 times in core/rules/conditions/closed.py" in capsys.readouterr().out
    assert UNUSABLE == main([], [replace(REAL, checks=("tests/unit/core/test_edges.py::test_nothing",))])
    assert "the checks do not pass: [None, 'pytest ended with 4']" in capsys.readouterr().out
    assert CAUGHT == main(["--list", REAL.name])
    assert f"{REAL.name}: {REAL.means}\n" == capsys.readouterr().out


STORIES = """
import subprocess, sys, time
import pytest
def test_good(): pass
def test_skipped(): pytest.skip("not here")
def test_bad(): assert "CHANGED" == "THIS"
def test_endless():
    subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"])
"""


@pytest.mark.faults
def test_a_hang_counts_as_caught_and_what_was_skipped_as_not_run(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    (copy.root / "tests" / "test_stories.py").write_text(STORIES)
    good, skipped, bad, endless = (
        f"tests/test_stories.py::test_{name}" for name in ("good", "skipped", "bad", "endless")
    )
    one = copy.run([good, skipped, bad, endless], 60, None)
    assert (1, bad, (skipped,)) == (one.passed, one.caught_by, one.idle)
    other = copy.run([good, endless], 6, None)
    assert (1, (), endless, ()) == (other.passed, other.failed, other.hung, other.idle)


def test_a_copy_is_as_before_after_a_bug(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    before = (copy.root / REAL.file).read_text()
    with copy.planted(REAL):
        assert REAL.new in (copy.root / REAL.file).read_text()
    assert before == (copy.root / REAL.file).read_text()
    with pytest.raises(OutOfDate), copy.planted(replace(REAL, old="not there")):
        pass


def test_no_check_has_the_name_of_another() -> None:
    """The latter would stand for both, and bugs of the former be held against tests that can't see them."""
    names = re.findall(r"^([A-Z_]+) = ", (ROOT / "tests/planted/checks.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert [] == [name for name, times in Counter(names).items() if times > 1]
