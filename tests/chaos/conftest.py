"""What the chaos tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker

from .sink_play import Say
from .sink_stage import apply_topics


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs Kafka here is about faults."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("kafka"):
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="module")
def sink_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker whose topics are the bus's own, since a sink process knows no others; one module's tests share it."""
    with EmbeddedBroker(tmp_path_factory.mktemp("sink-broker")) as broker:
        apply_topics(broker.bootstrap)
        yield broker.bootstrap


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Prints what was measured, captured or not; a process of pytest-xdist has no standard output."""
    several = "PYTEST_XDIST_WORKER" in os.environ

    def told(words: str) -> None:
        with capsys.disabled():
            print(f"\n  {words}", file=sys.stderr if several else sys.stdout)

    return told
