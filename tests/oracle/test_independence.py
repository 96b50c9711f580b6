"""The oracle must not know how the bus does it."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent
JUDGED = {"core", "agents", "engine", "sinks", "cli", "deploy", "rules", "benchmarks", "examples"}


def imported(module: str) -> set[str]:
    """Absolute names that a module of this folder imports, wherever in it; relative ones as ``.name``."""
    found = set()
    for node in ast.walk(ast.parse((HERE / f"{module}.py").read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {node.module} if node.module else {alias.name for alias in node.names}
            found |= {"." * node.level + name for name in names if name}
    return found


def reached() -> set[str]:
    """The modules of the oracle: the comparison, what reads rule files, and what they need."""
    modules, new = set(), {"comparison", "rule_files"}
    while new:
        modules |= new
        new = {name[1:] for module in new for name in imported(module) if name.startswith(".")} - modules
    return modules


def test_the_oracle_shares_no_code_with_what_it_judges() -> None:
    modules = reached()
    assert {
        "oracle",
        "notification",
        "matches",
        "rules",
        "section_four",
        "identity",
        "customer",
        "profile",
        "journal",
    } <= modules
    for module in sorted(modules):
        names = imported(module)
        assert set() == {name for name in names if name.startswith("..") or name.split(".")[0] in JUDGED | {"tests"}}
        contracts = {name for name in names if name.split(".")[0] == "schemas"}
        assert not contracts or module == "acceptance", f"{module} takes more than the contracts"
