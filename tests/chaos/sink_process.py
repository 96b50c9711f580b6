"""The real ``cxbus sink``, kept alive as a supervisor would."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cli.parent_watch import SUPERVISOR

from .sink_disk import SmallDisk

ROOT = Path(__file__).parents[2]
WRITE_LOCK = 120
"""The byte of the ``-shm`` file that whoever writes the database locks (SQLite's file format, section 4.3)."""
POLL = 0.002


class SinkProcess:
    """One sink, again and again. ``exits`` has the codes with which it ended though nobody had killed or stopped it."""

    def __init__(self, home: Path, bootstrap: str, database: Path, disk: SmallDisk | None = None) -> None:
        """``database`` as the process names it, which runs where ``disk`` is mounted, if there is one."""
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._disk = disk
        self.database = database
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CXBUS_")},
            "PYTHONPATH": str(ROOT),
            "CXBUS_BOOTSTRAP": bootstrap,
            "CXBUS_DATA_DIR": str(home / "data"),
            "CXBUS_DATABASE": f"sqlite:///{database}",
            SUPERVISOR: str(os.getpid()),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.exits: list[int] = []

    def start(self) -> None:
        """Starts it; its log goes on where its predecessor's ended."""
        command = [sys.executable, "-P", "-m", "cli.main", "sink"]
        with (self._home / "sink.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._disk.inside(command) if self._disk else command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def supervise(self) -> None:
        """Starts it again if it has ended by itself."""
        code = self.running.poll()
        if code is not None:
            self.exits.append(code)
            self.start()

    def kill(self) -> None:
        """SIGKILL."""
        self.running.kill()
        self.running.wait()
        self._process = None

    def kill_while_writing(self, seconds: float, *, half_written: Callable[[], bool] | None = None) -> bool:
        """SIGKILL in the middle of a database transaction; whether there was one within so many seconds.

        It is stopped first and then looked at, so that the transaction can't end before the kill. With
        ``half_written`` it is not enough that one has begun: that must hold, too.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.running.poll() is None:
            self.freeze()
            writes = self._holds_write_lock()
            if writes and (half_written is None or half_written()):
                self.kill()
                return True
            self.thaw()
            time.sleep(0.0 if writes else POLL)
        return False

    def freeze(self) -> None:
        """SIGSTOP; returns when it stands still."""
        self.running.send_signal(signal.SIGSTOP)
        while _state(self.running.pid) not in "TZX":
            time.sleep(0.0002)

    def thaw(self) -> None:
        """SIGCONT."""
        self.running.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.running.terminate()
        code = self.running.wait(timeout=30)
        self._process = None
        return code

    async def ended(self, seconds: float) -> int:
        """The exit code with which it ends by itself within so many seconds."""
        code = await asyncio.to_thread(self.running.wait, seconds)
        self._process = None
        return code

    def destroy(self) -> None:
        """Whatever is left of it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        assert self._process is not None
        return self._process

    def log(self) -> str:
        """What it and its predecessors said."""
        return (self._home / "sink.log").read_text()

    def _holds_write_lock(self) -> bool:
        """Whether it has begun to write and has not committed, by the kernel's list of locks."""
        shm = self.database.with_name(self.database.name + "-shm")
        if not shm.exists():
            return False
        inode = str(shm.stat().st_ino)
        for line in Path("/proc/locks").read_text().splitlines():
            _, _, _, kind, pid, where, first, last = line.replace("->", "").split()[:8]
            ours = (kind, pid, where.rpartition(":")[2]) == ("WRITE", str(self.running.pid), inode)
            if ours and int(first) <= WRITE_LOCK and (last == "EOF" or int(last) >= WRITE_LOCK):
                return True
        return False


def _state(pid: int) -> str:
    """The letter by which the kernel tells what a process does."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
