"""The bus's worker processes, kept alive as a supervisor would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cli.tether import SUPERVISOR

ROOT = Path(__file__).parents[2]


class Fleet:
    """Workers by name. ``exits`` notes who ended without having been told or killed, and with which code."""

    def __init__(self, home: Path, bootstrap: str, partitions: int, identity_key: str) -> None:
        self._home = home
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CXBUS_")},
            "PYTHONPATH": str(ROOT),
            "CXBUS_BOOTSTRAP": bootstrap,
            "CXBUS_PARTITIONS": str(partitions),
            "CXBUS_IDENTITY_KEY": identity_key,
            "CXBUS_DATA_DIR": str(home / "data"),
            SUPERVISOR: str(os.getpid()),
        }
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self.exits: list[tuple[str, int]] = []
        home.mkdir(parents=True, exist_ok=True)

    @property
    def names(self) -> list[str]:
        """Who runs."""
        return sorted(self._workers)

    def start(self, name: str) -> None:
        """Starts a worker; its log goes on where its predecessor's ended."""
        with (self._home / f"{name}.log").open("ab") as log:
            self._workers[name] = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli.main", "worker", "--name", name],
                cwd=self._home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def supervise(self) -> None:
        """Starts again whoever has ended by himself."""
        for name, process in list(self._workers.items()):
            if (code := process.poll()) is not None:
                self.exits.append((name, code))
                self.start(name)

    def kill(self, name: str) -> None:
        """SIGKILL, and a new one in the same place."""
        self._workers[name].kill()
        self._workers[name].wait()
        self.start(name)

    def freeze(self, name: str) -> None:
        """SIGSTOP: it is there and does nothing."""
        self._workers[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """SIGCONT: it goes on as if nothing had happened."""
        self._workers[name].send_signal(signal.SIGCONT)

    def stop(self) -> list[tuple[int, float]]:
        """Tells all to stop; exit code of each, and the seconds until then."""
        began = time.monotonic()
        stopping, self._workers = self._workers, {}
        for process in stopping.values():
            process.terminate()
        return [(process.wait(timeout=60), time.monotonic() - began) for process in stopping.values()]

    def destroy(self) -> None:
        """Whatever is left, in whatever state."""
        for process in self._workers.values():
            process.kill()
            process.wait()
        self._workers.clear()

    def log(self, characters: int = 4_000) -> str:
        """The end of every worker's log."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text()[-characters:]}" for path in sorted(self._home.glob("*.log"))
        )
