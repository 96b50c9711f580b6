"""The mark of tests that belong to the benchmark."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "bench: of the benchmark, not of the bus; needs what only that installs")
