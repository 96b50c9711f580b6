"""Tells at the end of a run on how many histories the bus and the oracle agreed, in all processes together."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from .tally import COMPARED, words

_total: Counter[str] = Counter()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Of a process that has run some of the tests."""
    _total.update(getattr(node, "workeroutput", {}).get("compared", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """For the process that tells."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["compared"] = dict(COMPARED)
    else:
        _total.update(COMPARED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, if there is anything to tell."""
    if _total:
        terminalreporter.write_line(words(_total))
