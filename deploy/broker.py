"""A real Apache Kafka on this machine, for users who have none: one process, broker and controller, loopback only."""

from __future__ import annotations

import base64
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy import node, watchdog
from deploy.jars import cache_dir, kafka_jars
from deploy.java import Java, find_java
from deploy.node import BrokerNode
from deploy.properties import broker_properties, logging_properties

#: Heap in MB; measured to be enough for the bus at full speed.
HEAP = 512
#: Seconds until a start counts as failed: 20 times what it takes on a small machine.
READY = 60.0
#: The broker's log directory, below its home.
TOPICS = "topics"
#: Lines of the log that an error shows.
SHOWN = 15


class AlreadyRunning(Exception):
    """Another program runs the broker of this data directory; clients can use it at ``bootstrap``."""

    exit_code = 2  # of the command: a person must change something

    def __init__(self, bootstrap: str) -> None:
        super().__init__(f"The embedded Kafka of this data directory is already running at {bootstrap}.")
        self.bootstrap = bootstrap


class BrokerFailed(Exception):
    """The broker did not start. The message has the end of its log and what to do."""

    exit_code = 3  # of the command: try again


class EmbeddedBroker:
    """The broker whose data is in ``data_dir / "kafka"``.

    It runs in a session of its own, so that Ctrl-C in a terminal does not end it while workers still finish their work:
    whoever started it stops it last. If the starter dies before that, a watchdog stops it.
    """

    def __init__(self, data_dir: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._home = data_dir.absolute() / "kafka"
        self._environ = environ
        self._node: BrokerNode | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._logged = 0
        """Bytes of the log that earlier runs wrote."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """Bootstrap servers, ``host:port``. Raises RuntimeError before the start."""
        if self._node is None:
            raise RuntimeError("the embedded broker was not started yet")
        return self._node.bootstrap

    @property
    def group(self) -> int:
        """The process group of the broker and its watchdog, which tests kill or freeze."""
        if self._process is None:
            raise RuntimeError("the embedded broker is not running")
        return self._process.pid

    def exit_code(self) -> int | None:
        """The broker's exit code; None while it runs, or when it was not started."""
        return self._process.poll() if self._process else None

    def start(self) -> str:
        """Start it; return its bootstrap servers once it answers. The first start downloads the jars and formats.

        Raises ``AlreadyRunning``, ``BrokerFailed``, and ``DownloadFailed`` from ``deploy.jars``.
        """
        if self._process and self._process.poll() is None:
            return self.bootstrap
        self.stop()
        jars = kafka_jars(cache_dir(self._environ), self._environ.get("CXBUS_MAVEN_MIRROR"))
        java = find_java(self._environ)
        try:
            self._launch(java, jars)
        except OSError as failure:
            raise BrokerFailed(
                f"The embedded Kafka could not be started in {self._home}: {failure}. "
                "Free space there, or name another data directory."
            ) from failure
        try:
            self.wait_ready()
        except BaseException:  # Ctrl-C too
            self.stop()
            raise
        return self.bootstrap

    def wait_ready(self, seconds: float = READY) -> None:
        """Return once the broker answers. Raises ``BrokerFailed`` when it ended or did not answer in ``seconds``."""
        until = time.monotonic() + seconds
        while not _answers(self.bootstrap):
            code = self.exit_code()
            if code is not None:
                raise self._failed(f"The embedded Kafka ended with exit code {code}.")
            if time.monotonic() > until:
                raise self._failed(f"The embedded Kafka did not answer within {seconds:.0f} s.")
            time.sleep(0.05)

    def stop(self) -> None:
        """Let it close its logs and end; kill it after ``watchdog.GRACE`` seconds. Harmless if it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
        try:
            orderly = process.wait(watchdog.GRACE + 3) >= 0
        except subprocess.TimeoutExpired:
            orderly = False
        if not orderly:  # the watchdog hangs, or was killed alone
            _kill_group(process.pid)
            process.wait()

    def _launch(self, java: Java, jars: tuple[Path, ...]) -> None:
        lock = self._lock()
        try:
            self._node = node.claimed(self._known(), os.getpid())
            node.save(self._home / "node.json", self._node)
            self._prepare(self._node)
            if not (self._home / TOPICS).exists():
                self._format(java, jars, self._node)
            self._spawn(java, jars, lock)
        finally:
            os.close(lock)  # from here on the watchdog and the broker hold it

    def _lock(self) -> int:
        """Take the data directory's lock. Wait for a holder whose starter died: that broker is about to stop."""
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        until = time.monotonic() + watchdog.GRACE + 5
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                running = self._known()
            if running and running.owned() and _answers(running.bootstrap):
                os.close(lock)
                raise AlreadyRunning(running.bootstrap)
            if time.monotonic() > until:
                os.close(lock)
                raise BrokerFailed(
                    f"An earlier embedded Kafka holds {self._home} and neither answers nor ends. "
                    "Find it with `ps -ef | grep kafka.Kafka`, end it with `kill`, and start again."
                )
            time.sleep(0.1)

    def _known(self) -> BrokerNode | None:
        return node.load(self._home / "node.json")

    def _prepare(self, settings: BrokerNode) -> None:
        properties = broker_properties(TOPICS, settings.broker_port, settings.controller_port)
        (self._home / "server.properties").write_text(properties)
        (self._home / "log4j2.properties").write_text(logging_properties())
        log = self._home / "broker.log"
        self._logged = log.stat().st_size if log.exists() else 0
        shutil.rmtree(self._home / "tmp", ignore_errors=True)  # native libraries that a killed broker left
        (self._home / "tmp").mkdir()

    def _format(self, java: Java, jars: tuple[Path, ...], settings: BrokerNode) -> None:
        """Format another directory and rename it, so that the log directory is either fully formatted or missing."""
        beside = f"{TOPICS}.new"
        shutil.rmtree(self._home / beside, ignore_errors=True)
        properties = broker_properties(beside, settings.broker_port, settings.controller_port)
        (self._home / "format.properties").write_text(properties)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        options = ["format", f"--cluster-id={cluster}", "--config=format.properties"]
        with (self._home / "broker.out").open("wb") as out:
            done = subprocess.run(
                self._command(java, "kafka.tools.StorageTool", *options),
                cwd=self._home,
                env=self._environment(jars),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        if done.returncode:
            raise self._failed(f"The embedded Kafka's storage could not be formatted (exit code {done.returncode}).")
        (self._home / beside).rename(self._home / TOPICS)

    def _spawn(self, java: Java, jars: tuple[Path, ...], lock: int) -> None:
        command = self._command(java, "kafka.Kafka", "server.properties")
        with (self._home / "broker.out").open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", watchdog.__file__, str(os.getpid()), *command],
                cwd=self._home,
                env=self._environment(jars),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock],
            )

    def _command(self, java: Java, main: str, *arguments: str) -> list[str]:
        options = [
            f"-Xmx{HEAP}m",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            "-Djava.io.tmpdir=tmp",
            "-Dlog4j2.configurationFile=log4j2.properties",
            "--enable-native-access=ALL-UNNAMED",
        ]
        return [str(java.path), *options, main, *arguments]

    def _environment(self, jars: tuple[Path, ...]) -> dict[str, str]:
        return {**self._environ, "CLASSPATH": os.pathsep.join(map(str, jars))}

    def _failed(self, what: str) -> BrokerFailed:
        lines = _last_lines(self._home / "broker.out") + _last_lines(self._home / "broker.log", self._logged)
        said = "\n".join(f"  {line}" for line in lines) or "  (it wrote no log)"
        return BrokerFailed(
            f"{what} The last lines of its log:\n{said}\n"
            f"The whole log is {self._home / 'broker.log'}. If the disk is full, free some space and start again; "
            f"if its data is damaged and can be lost, remove {self._home}; "
            "or name a Kafka that is already running in CXBUS_BOOTSTRAP."
        )


def _answers(bootstrap: str) -> bool:
    """Whether a broker answers there: an ApiVersions request, version 0, as in the Kafka protocol guide."""
    host, port = bootstrap.split(":")
    correlation = b"cxbs"
    request = bytes.fromhex("0000000a 0012 0000") + correlation + b"\xff\xff"  # length, key, version, id, no client id
    try:
        with socket.create_connection((host, int(port)), timeout=1) as connection:
            connection.sendall(request)
            return connection.recv(8)[4:] == correlation  # after the answer's length
    except OSError:
        return False


def _last_lines(file: Path, skip: int = 0) -> list[str]:
    """The last lines after the first ``skip`` bytes; of the whole file if it was rotated since."""
    if not file.exists():
        return []
    content = file.read_bytes()
    return content[skip if skip <= len(content) else 0 :].decode(errors="replace").splitlines()[-SHOWN:]


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # no process is left; macOS raises PermissionError when only zombies are
