"""The bus's own processes, each in a process of its own, and what their ops pages say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import orjson
from prometheus_client.parser import text_string_to_metric_families

from cli.parent_watch import SUPERVISOR

ROOT = Path(__file__).parents[1]
NAME = "bench"
START_SECONDS = 60.0
LOOK = 0.1


class WorkerEnded(Exception):
    """Nothing can be measured."""


class Process:
    """``cxbus <arguments>`` below ``home``, while the ``with`` block runs; ``name`` is that of its note.

    ``profile``: where cProfile leaves its figures at the end, if anywhere; ``tree``: the checkout whose code it is.
    """

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        arguments: Sequence[str],
        name: str,
        profile: Path | None = None,
        tree: Path = ROOT,
    ) -> None:
        self._home = home
        self._name = name
        self._note = home / "data" / "run" / f"{name}.json"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CXBUS_")},
            **environment,
            "PYTHONPATH": str(tree),
            "CXBUS_DATA_DIR": str(home / "data"),
            SUPERVISOR: str(os.getpid()),
        }
        profiled = [] if profile is None else ["-m", "cProfile", "-o", str(profile)]
        self._command = [sys.executable, "-P", *profiled, "-m", "cli.main", *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True, exist_ok=True)
        self._note.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *raised: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Its process number."""
        assert self._process is not None
        return self._process.pid

    def page(self) -> str:
        """Its metrics page. Raises ``WorkerEnded``."""
        with urllib.request.urlopen(self._url() + "/metrics", timeout=30) as page:
            text: str = page.read().decode()
            return text

    def figures(self) -> Figures:
        """What it has counted so far. Raises ``WorkerEnded``."""
        return Figures(self.page())

    def ready(self) -> bool:
        """Whether it says so. Raises ``WorkerEnded``."""
        try:
            urllib.request.urlopen(self._url() + "/readyz", timeout=30).close()
        except urllib.error.HTTPError as error:
            error.close()
            return False
        return True

    def until_ready(self, seconds: float) -> float:
        """Waits for it; the moment (Unix seconds). Raises ``WorkerEnded``, also when it takes longer."""
        until = time.monotonic() + seconds
        while not self.ready():
            if time.monotonic() > until:
                raise WorkerEnded(f"{self._name} is not ready after {seconds:.0f} s, its log ends:\n{self._words()}")
            time.sleep(LOOK)
        return time.time()

    def check(self) -> None:
        """Raises ``WorkerEnded``."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise WorkerEnded(f"{self._name} ended with {self._process.returncode}, its log ends:\n{self._words()}")

    def _url(self) -> str:
        until = time.monotonic() + START_SECONDS
        while not self._note.exists():
            self.check()
            if time.monotonic() > until:
                raise WorkerEnded(
                    f"{self._name} did not start within {START_SECONDS:.0f} s, its log ends:\n{self._words()}"
                )
            time.sleep(0.05)
        self.check()
        url: str = orjson.loads(self._note.read_bytes())["url"]
        return url

    @property
    def _log(self) -> Path:
        return self._home / f"{self._name}.log"

    def _words(self) -> str:
        return self._log.read_text()[-2_000:]


class Worker(Process):
    """One worker. Those that share ``home`` have different names."""

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        profile: Path | None = None,
        name: str = NAME,
        tree: Path = ROOT,
    ) -> None:
        super().__init__(home, environment, ("worker", "--name", name), f"worker-{name}", profile, tree)


class Sink(Process):
    """The sink, with a SQLite database below ``home``."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        super().__init__(home, environment, ("sink",), "sink")


class Figures:
    """One reading of metrics pages: sums of samples by name and labels."""

    def __init__(self, *pages: str) -> None:
        self._samples: defaultdict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
        for page in pages:
            for family in text_string_to_metric_families(page):
                for sample in family.samples:
                    self._samples[sample.name].append((sample.labels, sample.value))

    def sum(self, name: str, **labels: Any) -> float:
        """Of all samples of this name that have these labels; 0 when there are none."""
        return sum(self._values(name, labels))

    def most(self, name: str, **labels: Any) -> float:
        """The largest of them; 0 when there are none."""
        return max(self._values(name, labels), default=0.0)

    def _values(self, name: str, labels: Mapping[str, Any]) -> list[float]:
        return [value for has, value in self._samples[name] if labels.items() <= has.items()]
