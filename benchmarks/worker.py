"""One worker process and what its metrics page says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import orjson
from prometheus_client.parser import text_string_to_metric_families

from cli.tether import SUPERVISOR

ROOT = Path(__file__).parents[1]
NAME = "bench"
START_SECONDS = 60.0


class Worker:
    """Runs while the ``with`` block does. ``profile``: where cProfile leaves its figures at the end, if anywhere."""

    def __init__(self, home: Path, environment: Mapping[str, str], profile: Path | None = None) -> None:
        self._home = home
        self._note = home / "data" / "run" / f"worker-{NAME}.json"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CXBUS_")},
            **environment,
            "PYTHONPATH": str(ROOT),
            "CXBUS_DATA_DIR": str(home / "data"),
            SUPERVISOR: str(os.getpid()),
        }
        self._profiled = [] if profile is None else ["-m", "cProfile", "-o", str(profile)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True, exist_ok=True)
        self._note.unlink(missing_ok=True)
        with (self._home / "worker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", *self._profiled, "-m", "cli.main", "worker", "--name", NAME],
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

    def figures(self) -> Figures:
        """What it has counted so far. Raises ``WorkerEnded``."""
        until = time.monotonic() + START_SECONDS
        while not self._note.exists():
            self.check()
            if time.monotonic() > until:
                raise WorkerEnded(
                    f"the worker did not start within {START_SECONDS:.0f} s, its log ends:\n{self._log()}"
                )
            time.sleep(0.05)
        self.check()
        with urllib.request.urlopen(orjson.loads(self._note.read_bytes())["url"] + "/metrics", timeout=30) as page:
            return Figures(page.read().decode())

    def check(self) -> None:
        """Raises ``WorkerEnded``."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise WorkerEnded(f"the worker ended with {self._process.returncode}, its log ends:\n{self._log()}")

    def _log(self) -> str:
        return (self._home / "worker.log").read_text()[-2_000:]


class WorkerEnded(Exception):
    """Nothing can be measured."""


class Figures:
    """One reading of a metrics page: sums of samples by name and labels."""

    def __init__(self, page: str) -> None:
        self._samples: defaultdict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                self._samples[sample.name].append((sample.labels, sample.value))

    def sum(self, name: str, **labels: Any) -> float:
        """Of all samples of this name that have these labels; 0 when there are none."""
        return sum(value for has, value in self._samples[name] if labels.items() <= has.items())
