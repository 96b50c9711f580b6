"""The ops pages of a process: ``/metrics``, ``/livez``, ``/readyz``, on loopback unless told otherwise.

They are served by a thread, so that they answer while the event loop is busy.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Health:
    """An answer of ``/livez`` or ``/readyz``: whether, and why."""

    ok: bool
    reason: str


class OpsPages:
    """Serves until ``close``. ``port`` 0 takes a free one; ``url`` tells which."""

    def __init__(
        self,
        registry: CollectorRegistry,
        live: Callable[[], Health],
        ready: Callable[[], Health],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._checks = {"/livez": live, "/readyz": ready}
        self._metrics: Any = make_wsgi_app(registry)
        self._server = make_server(host, port, self._page, WSGIServer, _Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, name="ops", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the pages are."""
        host, port = self._server.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _page(self, environ: WSGIEnvironment, respond: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            found: Iterable[bytes] = self._metrics(environ, respond)
            return found
        check = self._checks.get(path)
        if check is None:
            respond("404 Not Found", [("Content-Type", "text/plain")])
            return [b"here are /metrics, /livez and /readyz\n"]
        health = check()
        respond("200 OK" if health.ok else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [health.reason.encode() + b"\n"]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are not worth a line each."""


def announce(directory: Path, name: str, pid: int, url: str) -> Path:
    """Leaves a note of where a process shows its ops pages, for ``cxbus status``."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    path.write_text(json.dumps({"name": name, "pid": pid, "url": url}))
    return path
