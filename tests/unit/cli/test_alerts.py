"""Alerts as the database has them, while nothing runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.problem import Code

from .shop import ADA, BEN, EVIDENCE, EXPIRED, FIRED, database

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def run(data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, ["--data-dir", str(data_dir), "alerts", *arguments])
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {FIRED, EXPIRED}),
        (["--department", "sales"], {EXPIRED}),
        (["--department", "finance"], set()),
        (["--state", "fired"], {FIRED, EXPIRED}),
        (["--state", "resolved", "--state", "retracted"], set()),
        (["--customer", "ada@example.com"], {FIRED, EXPIRED}),
        (["--customer", BEN], set()),
        (["--customer", ADA, "--department", "service"], {FIRED}),
    ],
)
def test_alerts_are_chosen_by_department_state_and_customer(run: Run, options: list[str], expected: set[str]) -> None:
    code, out, _ = run("list", "--json", *options)
    assert Code.OK == code
    assert expected == {alert["alertId"] for alert in json.loads(out)}


def test_a_person_reads_who_was_told_what(run: Run) -> None:
    code, out, _ = run("list", "--department", "marketing")
    assert Code.OK == code
    assert (
        "2026-05-28 20:26:40Z  ! campaign-during-complaint fired  Ada Lovelace → marketing, service\n"
        "    a_fired  A campaign went to someone whose complaint is open.\n"
    ) == out


def test_a_limit_says_that_there_are_more(run: Run) -> None:
    _, out, err = run("list", "-n", "1")
    assert 2 == len(out.splitlines())
    assert "There are more alerts: -n 2 shows them." in err


def test_no_alerts_is_no_error(run: Run) -> None:
    assert (Code.OK, "No alerts.\n", "") == run("list", "--department", "finance")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--state", "open"],
            "--state 'open' is not a state; the states are fired, updated, resolved, expired, retracted.",
        ),
        (
            ["--department", "hr"],
            "--department hr: no such department receives alerts; these do: finance, marketing, sales, service, ops.",
        ),
    ],
)
def test_what_there_is_not_to_choose_is_a_usage_error(run: Run, options: list[str], words: str) -> None:
    code, _, err = run("list", *options)
    assert (Code.USAGE, f"cxbus: {words}\n") == (code, err)


def test_an_alert_is_explained_down_to_its_events(run: Run) -> None:
    code, out, _ = run("explain", FIRED)
    assert Code.OK == code
    for part in (
        "campaign-during-complaint, version 1 (warning)",
        "A campaign went to someone whose complaint is open, or was closed less than three days ago.",
        f"Ada Lovelace ({ADA})",
        "marketing, service",
        "fired 2026-05-28 20:26:40Z, expires 2999-01-01 00:00:00Z",
        "Hold campaigns.",
        "2026-05-28 20:26:40Z  marketing.campaign.sent.v1  campaignId S1  /mail   m1",
    ):
        assert part in out


def test_an_alert_past_its_expiry_is_told_as_expired(run: Run) -> None:
    assert "expired 2026-06-11 20:26:40Z" in run("explain", EXPIRED)[1]


def test_the_explanation_as_json_has_the_rule_and_the_evidence(run: Run) -> None:
    code, out, _ = run("explain", FIRED, "--json")
    (alert,) = json.loads(out)
    assert Code.OK == code
    assert ([EVIDENCE], True, "2026-05-28T20:26:40Z") == (alert["evidence"], alert["standing"], alert["time"])
    assert alert["about"].startswith("A campaign went to someone")


def test_an_unknown_alert_is_told(run: Run) -> None:
    code, _, err = run("explain", "a_nothing")
    assert Code.WRONG == code
    assert "There is no alert a_nothing in the database; see `cxbus alerts list`." in err
