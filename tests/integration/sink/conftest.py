"""What tests of the sink on Kafka share: topics and a database of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from .bench import Bus, Database


@pytest.fixture
def bus(bootstrap: str) -> Bus:
    return Bus(bootstrap)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path)
