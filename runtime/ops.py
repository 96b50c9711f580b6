"""The ops pages of a process: ``/metrics``, ``/livez``, ``/readyz``, on loopback unless configured otherwise.

A thread with an event loop of its own serves them, so that they answer while the process's loop is busy. A client that
sends nothing, sends slowly or does not read blocks no thread, and is disconnected after ``PATIENCE``.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

log = structlog.get_logger("runtime.ops")

PATIENCE = 5.0
"""Seconds for one request, from the connection to the end of its answer."""
HEAD_BYTES = 16 * 1024
"""A request with more bytes than that before its empty line is refused."""
CONNECTIONS = 128
"""Most connections at once; a further one disconnects the oldest. Each takes a file descriptor, as local stores do."""
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Health:
    """An answer of ``/livez`` or ``/readyz``: whether the process is live or ready, and why."""

    ok: bool
    reason: str


class OpsPages:
    """Serves the pages until ``close``. ``port`` 0 takes a free one, see ``url``. ``documents``: JSON by further paths.

    Raises ``OSError``, which names the address, if it can't be bound.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        live: Callable[[], Health],
        ready: Callable[[], Health],
        host: str = "127.0.0.1",
        port: int = 0,
        documents: Mapping[str, Callable[[], str]] | None = None,
    ) -> None:
        self._registry = registry
        self._checks = {"/livez": live, "/readyz": ready}
        self._documents = documents or {}
        self._connections: dict[asyncio.StreamWriter, None] = {}
        """Open connections, the oldest first."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=CONNECTIONS)
        except OSError as error:
            why = str(error.strerror).partition(" (while")[0]
            raise OSError(error.errno, why, f"The address of the ops pages ({host}, port {port})") from error
        shown, number = self._socket.getsockname()[:2]
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{number}"
        """The address of the pages."""
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="ops", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops serving."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, sock=self._socket, limit=HEAD_BYTES)
        async with server:
            await self._over.wait()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= CONNECTIONS:
            first = next(iter(self._connections))
            del self._connections[first]
            first.transport.abort()
        self._connections[writer] = None
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(self._answer(await _head(reader)))
                writer.write_eof()
                await writer.drain()
                while await reader.read(HEAD_BYTES):
                    pass  # until the client closes: to close sooner would discard what it has not read yet
        except (OSError, TimeoutError, EOFError):
            pass  # the client left, was too slow, or made room for another one
        finally:
            self._connections.pop(writer, None)
            writer.transport.abort()

    def _answer(self, head: list[str] | None) -> bytes:
        if head is None:
            return _response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too long\n")
        method, _, target = head[0].partition(" ")
        if method not in ("GET", "HEAD"):
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD\n", "Allow: GET, HEAD")
        path = target.partition(" ")[0].partition("?")[0]
        try:
            found = self._page(path, head)
        except Exception as error:  # noqa: BLE001 -- the shell's edge: a page that fails is answered and logged
            log.warning("an ops page failed", page=path, error=repr(error))
            found = _response(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}\n")
        return found if method == "GET" else found.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def _page(self, path: str, head: list[str]) -> bytes:
        if path == "/metrics":
            accepted = [line.partition(":")[2] for line in head[1:] if line.lower().startswith("accept:")]
            encode, kind = choose_encoder(",".join(accepted))
            return _response(HTTPStatus.OK, encode(self._registry), kind=kind)
        if path in self._documents:
            return _response(HTTPStatus.OK, self._documents[path](), kind="application/json")
        check = self._checks.get(path)
        if check is None:
            return _response(
                HTTPStatus.NOT_FOUND, f"here are {', '.join(('/metrics', *self._checks, *self._documents))}\n"
            )
        health = check()
        return _response(HTTPStatus.OK if health.ok else HTTPStatus.SERVICE_UNAVAILABLE, f"{health.reason}\n")


async def _head(reader: asyncio.StreamReader) -> list[str] | None:
    """The request's first line and headers; None if it is too long. Raises ``EOFError`` if the client left before."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.LimitOverrunError:
        return None


def _response(status: HTTPStatus, body: str | bytes, *headers: str, kind: str = PLAIN) -> bytes:
    content = body if isinstance(body, bytes) else body.encode()
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(content)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


def announce(directory: Path, name: str, pid: int, url: str) -> Path:
    """Writes a file that says where a process serves its ops pages, for ``cxbus status``; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    path.write_text(json.dumps({"name": name, "pid": pid, "url": url}))
    return path
