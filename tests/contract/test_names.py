"""Modules and files that prose speaks of are there: pages, docstrings, comments, and texts that hold a place.

ADRs and the CHANGELOG are left out: they tell of what was.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = "core|schemas|runtime|engine|agents|sinks|cli|deploy|benchmarks|tests|examples"
DOTTED = re.compile(rf"(?<![\w./])((?:{ROOMS})(?:\.[A-Za-z_]\w*)+)")
PLACED = re.compile(rf"(?<![\w/.<*-])((?:{ROOMS}|docs|rules)/[\w/.-]*\w\.(?:py|md|yaml|yml|json|toml|sh))(?![\w*])")
COMMENT = re.compile("#.*")
PAST = ("docs/adr/", "benchmarks/results/")
MADE_UP = {
    "schemas/departments/logistics.py",  # docs/adding-a-department.md has the reader write these two
    "rules/campaign-during-delay.yaml",
    "tests/test_stories.py",  # tests of tests
    "core/sloppy.py",
    "agents/sloppy.py",
}


def told() -> Iterator[Path]:
    for pattern in ("*.md", "*.py", "*.toml", "Makefile"):
        for path in sorted(ROOT.rglob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith((".", *PAST)) and name != "CHANGELOG.md":
                yield path


def prose(path: Path) -> str:
    """Of a program its docstrings and comments, of anything else all."""
    text = path.read_text()
    if path.suffix != ".py":
        return text
    strings = [
        node.value.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    return "\n".join([*strings, *COMMENT.findall(text)])


def is_there(dotted: str) -> bool:
    """Whether there is a module, or something of a module, of that name."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if part in getattr(found, "__annotations__", {}):
                return True
            found = getattr(found, part, None)
        return found is not None
    return False


def test_what_prose_names_is_there() -> None:
    missing, folded_entries = [], 0
    for path in told():
        names, places = DOTTED.findall(prose(path)), PLACED.findall(path.read_text())
        folded_entries += len(names) + len(places)
        wrong = [name for name in names if not is_there(name)]
        wrong += [place for place in places if place not in MADE_UP and not (ROOT / place).exists()]
        missing += [f"{path.relative_to(ROOT)}: {what}" for what in wrong]
    assert [] == missing
    assert folded_entries > 500
