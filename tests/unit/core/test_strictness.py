"""The core's own strictness stands in the project's settings, and nothing in the core is excused from it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SIX = "def six(a: int, b: int, c: int, d: int, e: int, *, f: int) -> int:\n    return a + b + c + d + e + f\n"
BRANCHES = "".join(f"    if n == {n}:\n        return {n}\n" for n in range(10))
WINDING = f"def winding(n: int) -> int:\n{BRANCHES}    return 0\n"
ANYTHING = "from typing import Any\n\n\ndef anything(told: Any) -> object:\n    return told\n"


STRUCTS = {"msgspec": {"Struct", "to_builtins"}, "msgspec.structs": {"replace"}}
"""All that the core may have of msgspec: values, and no bytes."""


def test_of_msgspec_the_core_has_values_and_no_bytes() -> None:
    used: dict[str, set[str]] = {}
    for module in (ROOT / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not any(name.name.startswith("msgspec") for name in node.names), module
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("msgspec"):
                used.setdefault(node.module or "", set()).update(name.name for name in node.names)
    assert STRUCTS == used


def ruff(text: str, file: str, *more: str) -> str:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", *more]
    given = [*command, "--stdin-filename", file, "-"]
    return subprocess.run(given, cwd=ROOT, input=text, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(("text", "code"), [(SIX, "PLR0913"), (WINDING, "C901")])
def test_no_function_of_the_core_has_six_parameters_or_eleven_ways(text: str, code: str) -> None:
    assert code in ruff(text, "core/sloppy.py")
    assert "All checks passed!\n" == ruff(text, "agents/sloppy.py"), "others are not held to it"


def test_the_core_says_nothing_of_any_type(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").touch()
    (tmp_path / "core" / "sloppy.py").write_text(ANYTHING)
    settings = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache")]
    command = [sys.executable, "-m", "mypy", *settings, "core/sloppy.py"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 'Explicit "Any" is not allowed' in found.stdout, found


def test_nothing_in_the_core_is_excused() -> None:
    excused = [
        f"{path.name}: {line.strip()}"
        for path in sorted((ROOT / "core").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "# noqa" in line or "# type: ignore" in line or "# mypy:" in line or "# ruff:" in line
    ]
    assert [] == excused
