"""Customers as the database has them, while nothing runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.problem import Code

from .shop import ADA, FIRED, OLD_ADA, database

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def run(data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, at: Path = data_dir) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, ["--data-dir", str(at), "customer", *arguments])
        return result.exit_code, result.stdout, result.stderr

    return run


def shown(run: Run, who: str) -> dict[str, Any]:
    code, out, err = run("show", who, "--json")
    assert (Code.OK, "") == (code, err)
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.parametrize(
    "who", [ADA, OLD_ADA, "email:Ada@Example.com", "ada@example.com", "customer_no:c-1042", "C-1042"]
)
def test_a_customer_is_found_by_id_and_identifier_through_merges(run: Run, who: str) -> None:
    assert ADA == shown(run, who)["customerId"]


def test_everything_there_is_to_know_before_a_call(run: Run) -> None:
    found = shown(run, ADA)
    assert [FIRED] == [alert["alertId"] for alert in found["standing"]]
    assert ["u3", "u2", "u1"] == [entry["uid"] for entry in found["timeline"]]
    assert "2026-05-28T20:26:43Z" == found["timeline"][0]["at"]
    assert "K1" == found["open"][0]["id"]


def test_a_person_reads_it_in_the_same_order(run: Run) -> None:
    code, out, _ = run("show", OLD_ADA, "-n", "2")
    assert Code.OK == code
    parts = [
        "Ada Lovelace",
        f"{ADA} (which {OLD_ADA} was merged into)",
        "email a…@example.com",
        "case K1 since 2026-05-28 20:26:40Z (category complaint)",
        "campaign-during-complaint (warning): A campaign went",
        "Timeline: 3 entries, the newest 2",
        "order completed  orderId u3, total 12.50, currency EUR",
        "orderId u2",
    ]
    places = [out.find(part) for part in parts]
    assert -1 not in places
    assert sorted(places) == places
    assert "orderId u1" not in out


def test_somebody_unknown_is_told_with_what_to_do(run: Run) -> None:
    code, out, err = run("show", "eve@example.com")
    assert (Code.WRONG, "") == (code, out)
    assert "No customer is known as eve@example.com" in err
    assert "cxbus customer search" in err


@pytest.mark.parametrize("who", ["", "guest", ":", "c_", "email:", "email:no address", "x" * 10_000, "\x1b[2J"])
def test_what_identifies_nobody_finds_nobody(run: Run, who: str) -> None:
    code, _, err = run("show", "--", who)
    assert Code.WRONG == code
    assert "\x1b" not in err


def test_search_finds_parts_of_names_in_any_case(run: Run) -> None:
    code, out, _ = run("search", "LOVE", "--json")
    assert Code.OK == code
    assert [ADA] == [customer["customerId"] for customer in json.loads(out)]
    assert "Ada Lovelace" in run("search", "love")[1]


def test_search_that_finds_nobody_is_no_error(run: Run) -> None:
    assert (Code.OK, "No customer's name contains 'zzz'.\n", "") == run("search", "zzz")
    assert (Code.OK, "[]\n", "") == run("search", "zzz", "--json")


def test_what_a_name_would_do_to_the_terminal_is_spelt_out(run: Run) -> None:
    out = run("search", "ben")[1]
    assert "Ben \\u001b[31mRed" in out
    assert "\x1b[31m" not in out


def test_where_nothing_ever_ran_the_next_step_is_told(run: Run, tmp_path: Path) -> None:
    code, _, err = run("show", "ada@example.com", at=tmp_path)
    assert Code.AWAY == code
    assert "Nothing is running here; start it with `cxbus run`." in err


def test_a_file_that_is_no_database_is_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cxbus.db").write_text("not a database, but long enough to be taken for one" * 100)
    code, _, err = run("search", "ada", at=tmp_path)
    assert Code.USAGE == code
    assert "is not an SQLite database" in err
