"""The rules in force, and what is said of a rule file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.rule_files import BUILT_IN
from cli.main import app
from cli.problem import Code

UPSELL = (BUILT_IN / "upsell-moment.yaml").read_text()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["rules", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_rules_in_force_are_listed_with_their_digest() -> None:
    code, out, _ = run("list", "--json")
    found = json.loads(out)
    assert Code.OK == code
    assert 8 == len(found["digest"])
    expected = ["campaign-during-complaint", "contact-fatigue", "dunning-during-dispute", "upsell-moment"]
    assert expected == [rule["rule"] for rule in found["rules"]]
    assert "upsell-moment" in run("list")[1]


def test_the_shipped_rules_pass_their_own_test_cases() -> None:
    code, out, _ = run("check")
    assert Code.OK == code
    assert 4 == out.count("✓")
    assert "✓ upsell-moment version 1: 5 test cases passed" in out


def test_a_file_is_checked_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(UPSELL)
    assert (Code.OK, "✓ upsell-moment version 1: 5 test cases passed\n", "") == run("check", str(file))


def test_a_failing_case_names_what_was_expected_and_found(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(UPSELL.replace("at_least: 4.5", "at_least: 5.5"))
    code, out, _ = run("check", str(file))
    assert Code.WRONG == code
    assert "✗ upsell-moment version 1: 1 of 5 test cases failed" in out
    assert "it alerts when a solved question is rated 5" in out
    assert "expected: {at: 2026-03-02T10:00:00Z}" in out
    assert "found:    no alert" in out
    failure = json.loads(run("check", str(file), "--json")[1])[0]["failures"][0]
    assert ([{"at": "2026-03-02T10:00:00Z"}], []) == (failure["expected"], failure["found"])


def test_every_wrong_file_of_a_folder_is_named_with_its_field(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("rule: [oops")
    (tmp_path / "b.yaml").write_text(UPSELL.replace("notify: [sales]", "notify: [salesmen]"))
    (tmp_path / "c.yaml").write_text(UPSELL)
    (tmp_path / "d.yaml").write_text(UPSELL)
    (tmp_path / "e.yaml").write_text(UPSELL.replace("rule: upsell-moment", "rule: other").replace("- [2026", "- [next"))
    code, out, _ = run("check", str(tmp_path))
    lines = out.splitlines()
    assert Code.WRONG == code
    assert lines[0].startswith("✗ a.yaml: is not YAML: ")
    assert lines[1].startswith(
        "✗ b.yaml: rule upsell-moment: notify: 'salesmen' receives no alerts; these departments do:"
    )
    assert "✓ upsell-moment version 1: 5 test cases passed" == lines[2]
    assert "✗ d.yaml: rule upsell-moment: c.yaml has a rule of this name, too" == lines[3]
    assert lines[4].startswith("✗ e.yaml: rule other: tests[0]: ")


def test_a_rule_without_test_cases_can_be_used_but_says_so(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(UPSELL.partition("tests:")[0])
    assert (Code.OK, "✓ upsell-moment version 1: it has no test cases\n", "") == run("check", str(file))


def test_a_path_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert Code.USAGE == run("check", str(tmp_path / "nothing.yaml"))[0]
    code, _, err = run("check", str(tmp_path))
    assert (Code.USAGE, f"cxbus: {tmp_path} is empty; rules are files that end in .yaml or .yml.\n") == (code, err)


def test_a_rules_folder_that_can_not_be_used_is_told_with_file_and_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_text(UPSELL.replace("severity: info", "severity: loud"))
    monkeypatch.setenv("CXBUS_RULES_DIR", str(tmp_path))
    code, _, err = run("list")
    assert Code.USAGE == code
    assert "cxbus: a.yaml: rule upsell-moment: severity: 'loud' is none of info, warning, critical" in err


@pytest.mark.parametrize("verb", [("rules", "list"), ("rules", "check"), ("--bootstrap", "nowhere:1", "worker")])
def test_a_misspelt_folder_of_rules_is_an_error_wherever_rules_are_read(
    verb: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXBUS_RULES_DIR", "my-ruels")
    monkeypatch.setenv("CXBUS_PARTITIONS", "4")
    monkeypatch.setenv("CXBUS_IDENTITY_KEY", "only for the tests")
    result = CliRunner().invoke(app, verb)
    expected = (
        f"There is no folder {tmp_path / 'my-ruels'}, so there are no rules. "
        "CXBUS_RULES_DIR must name the folder of your"
    )
    assert Code.USAGE == result.exit_code
    assert expected in result.stderr
