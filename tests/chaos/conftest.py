"""What the chaos tests of the sink share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.broker import EmbeddedBroker

from .sink_play import Say
from .sink_stage import apply_topics


@pytest.fixture(scope="module")
def sink_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker whose topics are the bus's own, since a sink process knows no others; one module's tests share it."""
    with EmbeddedBroker(tmp_path_factory.mktemp("sink-broker")) as broker:
        apply_topics(broker.bootstrap)
        yield broker.bootstrap


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Prints what was measured, captured or not."""

    def told(words: str) -> None:
        with capsys.disabled():
            print(f"\n  {words}")

    return told
