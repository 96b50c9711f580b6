"""The ops pages answer whatever strangers do with their connections, and say nothing about it in the log."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry, Counter

from runtime.ops import CONNECTIONS, HEAD_BYTES, Health, OpsPages

REQUEST = b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n"


def broken() -> Health:
    raise RuntimeError("no idea")


@pytest.fixture
def pages() -> Iterator[OpsPages]:
    registry = CollectorRegistry()
    Counter("cxbus_things", "Things.", registry=registry)
    found = OpsPages(registry, lambda: Health(True, "beats"), broken)
    yield found
    found.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, pages: OpsPages) -> OpsPages:
    monkeypatch.setattr("runtime.ops.PATIENCE", 0.3)
    return pages


def connected(pages: OpsPages) -> socket.socket:
    address = urlsplit(pages.url)
    return socket.create_connection((address.hostname, address.port), timeout=10)


def asked(pages: OpsPages, request: bytes) -> bytes:
    """All that is answered."""
    with connected(pages) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def drip(connection: socket.socket) -> None:
    """A line that does not end, byte by byte."""
    for _ in range(3_000):
        connection.sendall(b"x")
        time.sleep(0.01)


def status(pages: OpsPages, method: str, path: str) -> tuple[int, bytes]:
    address = urlsplit(pages.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_idle_and_half_sent_requests_delay_nobody(pages: OpsPages) -> None:
    with ExitStack() as crowd:
        for number in range(50):
            one = crowd.enter_context(connected(pages))
            one.sendall(REQUEST[: number % len(REQUEST)])
        began = time.monotonic()
        assert (200, b"beats\n") == status(pages, "GET", "/livez")
        assert time.monotonic() - began < 2  # one that waited for the crowd takes 5


def test_who_sends_nothing_or_by_drops_or_does_not_read_is_hung_up_on(hasty: OpsPages) -> None:
    with connected(hasty) as idle, connected(hasty) as dripping, connected(hasty) as deaf:
        deaf.sendall(REQUEST)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            drip(dripping)
        assert b"" == idle.recv(1)
        assert deaf.recv(1_000).startswith(b"HTTP/1.1 200")
        assert b"" == deaf.recv(1)


def test_more_connections_than_there_is_room_for_delay_nobody(pages: OpsPages) -> None:
    with ExitStack() as crowd:
        first, *_ = [crowd.enter_context(connected(pages)) for _ in range(CONNECTIONS + 20)]
        began = time.monotonic()
        assert (200, b"beats\n") == status(pages, "GET", "/livez")
        assert time.monotonic() - began < 2  # one that waited for the crowd takes 5
        assert b"" == first.recv(1)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET /livez HTTP/1.1\r\nX: " + b"x" * HEAD_BYTES + b"\r\n\r\n", b"HTTP/1.1 431"),
        (b"BREW /livez HTTP/1.1\r\n\r\n", b"HTTP/1.1 405"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"HTTP/1.1 405"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"HTTP/1.1 405"),
        (b"GET\r\n\r\n", b"HTTP/1.1 404"),
        (b"GET /livez\r\n\r\n", b"HTTP/1.1 200"),
        (b"GET /livez?verbose HTTP/1.0\r\n\r\n", b"HTTP/1.1 200"),
        (b"GET /nowhere HTTP/1.1\r\n\r\n", b"HTTP/1.1 404"),
        (b"GET /readyz HTTP/1.1\r\n\r\n", b"HTTP/1.1 500"),
    ],
)
def test_every_request_gets_an_answer(pages: OpsPages, request_: bytes, expected: bytes) -> None:
    assert asked(pages, request_).startswith(expected)


def test_a_head_request_gets_the_head(pages: OpsPages) -> None:
    assert (200, b"") == status(pages, "HEAD", "/livez")
    assert asked(pages, REQUEST.replace(b"GET", b"HEAD")).endswith(b"Connection: close\r\n\r\n")


def test_metrics_are_shown_as_they_are_asked_for(pages: OpsPages) -> None:
    code, body = status(pages, "GET", "/metrics")
    assert (200, True) == (code, b"cxbus_things_total 0.0" in body)
    openmetrics = asked(pages, b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text; version=1.0.0\r\n\r\n")
    assert b"Content-Type: application/openmetrics-text" in openmetrics
    assert openmetrics.endswith(b"# EOF\n")


def test_strangers_leave_no_traceback(pages: OpsPages, capfd: pytest.CaptureFixture[str]) -> None:
    for request in (b"", b"GET", b"\x00" * 100, b"GET /metrics HTTP/1.1\r\n\r\n", b"X" * 3 * HEAD_BYTES):
        with connected(pages) as connection:
            connection.sendall(request)
    assert (200, b"beats\n") == status(pages, "GET", "/livez")
    assert "Traceback" not in capfd.readouterr().err


def test_an_address_that_cannot_be_had_is_named(pages: OpsPages) -> None:
    port = int(pages.url.rpartition(":")[2])
    with pytest.raises(OSError, match="Address already in use") as raised:
        OpsPages(CollectorRegistry(), broken, broken, port=port)
    assert f"The address of the ops pages (127.0.0.1, port {port})" == raised.value.filename
