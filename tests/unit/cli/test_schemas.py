"""The contracts on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.problem import Code


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["schemas", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_all_types_are_listed_with_whose_they_are() -> None:
    code, out, _ = run("list", "--json")
    whose = {one["type"]: one["department"] for one in json.loads(out)}
    assert Code.OK == code
    assert "service" == whose["service.case.opened.v1"]
    assert "(the bus)" == whose["cx.alert.fired.v1"]
    assert "service.case.opened.v1" in run("list")[1]


def test_a_type_is_shown_with_fields_topic_and_example() -> None:
    code, out, _ = run("show", "service.case.opened.v1")
    assert Code.OK == code
    assert "on cx.service.events.v1" in out
    assert "caseId required a string of 1 to 256 bytes as JSON" in " ".join(out.split())
    example = json.loads(out[out.index("\n{") :])
    assert ("1.0", "K-1") == (example["specversion"], example["data"]["caseId"])


def test_the_example_of_every_type_can_be_sent_as_it_stands() -> None:
    types = [one["type"] for one in json.loads(run("list", "--json")[1]) if one["department"] != "(the bus)"]
    shown = (run("show", name)[1] for name in types)
    examples = "\n".join(json.dumps(json.loads(out[out.index("\n{") :])) for out in shown)
    checked = CliRunner().invoke(app, ["--bootstrap", "nowhere", "send", "-"], input=examples)
    assert (
        "'nowhere' is not the address of a Kafka broker" in checked.stderr
    )  # they were found good, and Kafka is what is missing


def test_the_json_schema_of_a_type_is_one_document() -> None:
    schema = json.loads(run("show", "service.case.opened.v1", "--json")[1])
    assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"]


def test_a_misspelt_type_names_its_neighbours() -> None:
    code, _, err = run("show", "service.case.opend.v1")
    assert Code.USAGE == code
    assert "did you mean service.case.opened.v1" in err


def test_schemas_are_exported_and_hold_against_themselves(tmp_path: Path) -> None:
    code, out, _ = run("export", str(tmp_path / "out"))
    count = len(list((tmp_path / "out").glob("*.json")))
    assert (Code.OK, f"{count} schemas in {tmp_path / 'out'}.\n") == (code, out)
    assert (Code.OK, f"✓ All {count} released schemas are still compatible.\n", "") == run(
        "check", str(tmp_path / "out")
    )


def test_a_broken_promise_is_found(tmp_path: Path) -> None:
    run("export", str(tmp_path))
    file = tmp_path / "service.case.opened.v1.json"
    schema = json.loads(file.read_text())
    schema["required"].remove("category")
    schema["properties"]["gone"] = {"type": "string"}
    file.write_text(json.dumps(schema))
    code, out, _ = run("check", str(tmp_path))
    assert Code.WRONG == code
    assert "✗ service.case.opened.v1: data.category is now required" in out
    assert "✗ service.case.opened.v1: data.gone was removed or renamed" in out
    assert 2 == len(json.loads(run("check", str(tmp_path), "--json")[1])["broken"])


@pytest.mark.parametrize("folder", ["nothing", "file", "empty", "broken"])
def test_a_folder_that_holds_no_schemas_is_a_usage_error(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.json").write_text("{")
    assert Code.USAGE == run("check", str(tmp_path / folder))[0]


def test_a_folder_that_can_not_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = run("export", str(tmp_path / "file"))
    assert Code.USAGE == code
    assert "can't be written" in err
