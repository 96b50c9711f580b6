"""What tests of all kinds share: one Kafka for each process of a run."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator

import pytest

from deploy.broker import EmbeddedBroker


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python 3.0.12 reads its schemas with a function that is deprecated in Python 3.11 and 3.12 only.
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")
    # aiokafka leaves its connection to the garbage collector when a start or stop is cancelled on the way.
    left = "Exception ignored in. <(socket|function (_SelectorTransport|StreamWriter|AIOKafkaConnection))"
    config.addinivalue_line("filterwarnings", f"ignore:{left}:pytest.PytestUnraisableExceptionWarning")
    # A shell's background job ignores Ctrl-C, and so would every program that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Brokers that live for a test are over before Java's optimizing compiler pays: without it a start costs half.
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")


@pytest.fixture(scope="session", autouse=True)
def collected() -> Iterator[None]:
    """What aiokafka left is collected at the end of the last test: later nobody knows that it is to be ignored."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def unmasked() -> Iterator[None]:
    """Commands that hear signals in a thread of their own mask them; what a later test starts would inherit that."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.fixture(scope="session")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a Kafka for tests: ``CXBUS_BOOTSTRAP``, else one embedded broker, empty, for this process.

    Topics and groups of one test are seen by the others: give them names of their own.
    """
    given = os.environ.get("CXBUS_BOOTSTRAP")
    if given:
        yield given
        return
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.bootstrap
