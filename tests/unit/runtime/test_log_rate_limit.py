"""A log that repeats itself is thinned out, and says so."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from runtime.log_rate_limit import RateLimited, limit_rate


@pytest.fixture
def noisy() -> Iterator[logging.Logger]:
    logger = logging.getLogger("noisy.client")
    yield logger
    for name in ("noisy", "noisy.client"):
        logging.getLogger(name).filters.clear()


def test_what_repeats_itself_is_said_once_in_a_while_with_a_count(
    noisy: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    noisy.addFilter(RateLimited(10, clock=lambda: now[0]))
    for second in range(25):
        now[0] = float(second)
        noisy.error("unable to connect to %s", "b1")
    assert [
        "unable to connect to b1",
        "unable to connect to b1 (and 9 more like it)",
        "unable to connect to b1 (and 9 more like it)",
    ] == caplog.messages


def test_different_things_and_mere_information_all_pass(
    noisy: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    noisy.addFilter(RateLimited(10, clock=lambda: 0.0))
    with caplog.at_level(logging.INFO, "noisy.client"):
        noisy.error("one")
        noisy.error("two")
        noisy.info("three")
        noisy.info("three")
    assert ["one", "two", "three", "three"] == caplog.messages


def test_a_whole_tree_of_loggers_is_thinned_out_once(noisy: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    limit_rate("noisy")
    limit_rate("noisy")
    assert [1, 1] == [len(logging.getLogger(name).filters) for name in ("noisy", "noisy.client")]
    for _ in range(3):
        noisy.warning("again")
    logging.getLogger("noisier").warning("untouched")
    assert ["again", "untouched"] == caplog.messages
