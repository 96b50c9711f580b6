"""A pytest plugin: notes how each test ended, one line each, so that whoever kills a run still knows how far it came.

A line is ``<what> <node id>``; what: ``started``, ``passed``, ``failed``, ``skipped``, or ``broken`` (not collected).
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOMS = ("core", "schemas", "engine", "agents", "sinks", "cli", "deploy")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", type=Path, required=True, help="file to which outcomes are appended")


def pytest_configure(config: pytest.Config) -> None:
    from hypothesis import Phase, settings  # not earlier: pytest wants to rewrite its assertions first

    # A failure is enough, its smallest example would take minutes. The same examples each time: caught is caught.
    settings.register_profile(
        "planted",
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        report_multiple_bugs=False,
    )
    settings.load_profile("planted")
    config.pluginmanager.register(Outcomes(config.getoption("--outcomes"), config.rootpath))


class Outcomes:
    """Notes what pytest tells."""

    def __init__(self, file: Path, root: Path) -> None:
        self._file = file
        self._root = root

    def _note(self, what: str, node: str) -> None:
        with self._file.open("a", encoding="utf-8") as notes:
            notes.write(f"{what} {node}\n")

    def pytest_collection_finish(self) -> None:
        """Raises ``UsageError`` when another tree's code would be tested: then no bug would be caught here."""
        for name in ROOMS:
            file = getattr(sys.modules.get(name), "__file__", None)
            if file is not None and not Path(file).is_relative_to(self._root):
                raise pytest.UsageError(f"{name} is that of {file}, not of {self._root}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._note("broken", report.nodeid)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._note("started", nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.skipped or report.when == "call":
            self._note(report.outcome, report.nodeid)
