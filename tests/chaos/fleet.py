"""The bus's worker processes, kept alive as a supervisor would."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from cli.blocked import asked
from cli.child import FIRST_PAUSE, last_words
from cli.health import announced, ask
from cli.parent_watch import SUPERVISOR

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 60.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Exit:
    """A worker that ended without having been told or killed. ``why``: the reason in its log."""

    name: str
    code: int
    why: str


class Fleet:
    """Workers by name. Whoever dies is started again a second later, as the supervisor does it the first time."""

    def __init__(self, home: Path, bootstrap: str, partitions: int, identity_key: str) -> None:
        self._home = home
        self._data = home / "data"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CXBUS_")},
            "PYTHONPATH": str(ROOT),
            "CXBUS_BOOTSTRAP": bootstrap,
            "CXBUS_PARTITIONS": str(partitions),
            "CXBUS_IDENTITY_KEY": identity_key,
            "CXBUS_DATA_DIR": str(self._data),
            SUPERVISOR: str(os.getpid()),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._due: dict[str, float] = {}
        self.exits: list[Exit] = []
        home.mkdir(parents=True, exist_ok=True)

    @property
    def names(self) -> list[str]:
        """Who is wanted: running, or about to be started again."""
        return sorted(self._running.keys() | self._due.keys())

    @property
    def running(self) -> list[str]:
        """Who has a process."""
        return sorted(self._running)

    def start(self, name: str) -> None:
        """Starts a worker; its log goes on where its predecessor's ended."""
        self._due.pop(name, None)
        with (self._home / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli.main", "worker", "--name", name],
                cwd=self._home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def supervise(self) -> None:
        """Notes who has ended by himself, and starts again whoever is due."""
        for name, process in list(self._running.items()):
            if (code := process.poll()) is not None:
                self.exits.append(Exit(name, code, self._last_words(name)))
                self._dead_letter(name)
        for name, due in list(self._due.items()):
            if time.monotonic() >= due:
                self.start(name)

    def kill(self, name: str, *, lose: bool = False) -> None:
        """SIGKILL; ``lose``: its state directory is gone too. ``supervise`` brings a new one in the same place."""
        self._running[name].kill()
        self._running[name].wait()
        state = self._data / "workers" / name
        if lose and state.exists():  # one that has just been started may have none yet
            shutil.rmtree(state)
        self._dead_letter(name)

    def freeze(self, name: str) -> None:
        """SIGSTOP: it is there and does nothing."""
        self._running[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """SIGCONT: it goes on as if nothing had happened."""
        self._running[name].send_signal(signal.SIGCONT)

    def tell(self, name: str) -> subprocess.Popen[bytes]:
        """SIGTERM; from now on it is not started again. The process, to be waited for."""
        process = self._running.pop(name)
        process.terminate()
        return process

    def stop(self) -> list[tuple[int, float]]:
        """Tells all to stop; exit code of each, and the seconds until then."""
        began = time.monotonic()
        self._due.clear()
        stopping = [self.tell(name) for name in self.running]
        return [(process.wait(timeout=STOP_SECONDS), time.monotonic() - began) for process in stopping]

    def destroy(self) -> None:
        """Whatever is left, in whatever state."""
        for process in self._running.values():
            process.kill()
            process.wait()
        self._running.clear()
        self._due.clear()

    # --- looking at them --------------------------------------------------------------------------------------------

    def blocked(self) -> Mapping[str, Any] | None:
        """What the first worker that answers knows of blocked identifiers, as `cxbus status` says it."""
        return asked(announced(self._data))

    def ready(self) -> bool:
        """Whether every process says that it is: in the group, and all that it was given is restored."""
        answers = [ask(url, "/readyz") if url is not None else None for url in self._urls().values()]
        return bool(answers) and all(answer is not None and answer.ok for answer in answers)

    def memory(self) -> dict[str, int]:
        """Resident MiB of each process."""
        return {name: found for name, process in self._running.items() if (found := resident(process.pid))}

    def handled(self) -> dict[str, float]:
        """Units of work that each process has finished since it began, of all stages; 0 for one that does not say."""
        return {name: _handled(url) for name, url in self._urls().items()}

    def _urls(self) -> dict[str, str | None]:
        """Of each process its ops pages; ``None`` for one that has not said yet where they are."""
        notes = {one.pid: one.url for one in announced(self._data)}
        return {name: notes.get(process.pid) for name, process in self._running.items()}

    def log(self, characters: int = 4_000) -> str:
        """The end of every worker's log."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text()[-characters:]}" for path in sorted(self._home.glob("*.log"))
        )

    def _dead_letter(self, name: str) -> None:
        del self._running[name]
        self._due[name] = time.monotonic() + FIRST_PAUSE

    def _last_words(self, name: str) -> str:
        lines = (self._home / f"{name}.log").read_text(errors="replace").splitlines()
        return last_words(lines[-50:]) or "it did not say why"


def resident(pid: int) -> int:
    """Resident MiB of a process (0: of this one); 0 if there is none."""
    try:
        lines = Path(f"/proc/{pid or 'self'}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 // MIB for line in lines if line.startswith("VmRSS:")), 0)


def _handled(url: str | None) -> float:
    if url is None:
        return 0.0
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=2) as answer:
            text = answer.read().decode()
    except OSError:
        return 0.0
    samples = (one for family in text_string_to_metric_families(text) for one in family.samples)
    return sum(one.value for one in samples if one.name == "cxbus_batch_records_count")
