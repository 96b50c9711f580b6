"""What tests of the benchmarks share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.agents.bench import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal on the bench, closed afterwards."""
    made = Journal(tmp_path)
    yield made
    made.close()
