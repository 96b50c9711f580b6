"""What tests of sinks share: every database, empty logs, and a sink that is attached to both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.base import Sink
from tests.unit.sinks.backends import BACKENDS, Backend
from tests.unit.sinks.messages import Logs

from .sink_bench import NOW_MS


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
def logs() -> Logs:
    return Logs()


@pytest.fixture
def sink(backend: Backend, logs: Logs) -> Iterator[Sink]:
    opened = backend.open()
    opened.attach(logs.logs(), NOW_MS)
    yield opened
    opened.close()
