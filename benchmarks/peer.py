"""The peers: programs of other libraries that do the same work, each started as its language wants it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .contestant import CannotRun, Failed, Outlets, Place, Reading
from .program import Program
from .topics import INPUTS, Topics
from .worker import ROOT

PEERS = ROOT / "benchmarks" / "peers"
QUIX = PEERS / "quix" / "requirements.txt"

Command = Callable[[Path], Sequence[str]]
Preparation = Callable[[Path], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class PeerRunning:
    """A peer at work."""

    program: Program
    outlets: Outlets | None

    @property
    def pids(self) -> Sequence[int]:
        """Of its program."""
        return (self.program.pid,)

    def check(self) -> None:
        """Raises ``Failed``."""
        self.program.check()

    def reading(self) -> Reading | None:
        """See ``Running``. Its last line says how many records it read, and in how many seconds until then."""
        if not self.program.ended:
            return None
        at, told = self.program.first()
        seconds, count = told.get("seconds"), told.get("count")
        if not isinstance(seconds, float) or not isinstance(count, int):
            raise Failed(f"it says {dict(told)} instead of seconds and count")
        return Reading(at - seconds, at, count)

    def details(self) -> Mapping[str, float]:
        """None: its own figures are its own affair."""
        return {}


@dataclass(slots=True)
class Peer:
    """``command`` and ``preparation`` are given the directory for what is built. ``writes``: false for the limit.
    ``threads``: of a peer that can have several.
    """

    name: str
    command: Command
    preparation: Preparation
    writes: bool = True
    threads: int = 1
    _build: Path = field(default=Path(), init=False)

    def prepare(self, build: Path) -> Mapping[str, str]:
        """See ``Contestant``. Raises ``CannotRun``."""
        self._build = build.absolute()
        return self.preparation(self._build)

    @contextmanager
    def at_work(self, place: Place) -> Iterator[PeerRunning]:
        """See ``Contestant``. Raises ``Failed``."""
        if self.writes:
            Topics(place.bootstrap, place.partitions).peer(place.prefix)
        state = place.home / "state"
        state.mkdir(parents=True)
        environment = {
            "PYTHONPATH": str(ROOT),
            "BENCH_BOOTSTRAP": place.bootstrap,
            "BENCH_PREFIX": place.prefix,
            "BENCH_PARTITIONS": str(place.partitions),
            "BENCH_STATE": str(state),
            "BENCH_INPUT": ",".join(INPUTS),
            "BENCH_THREADS": str(self.threads),
        }
        with Program(self.name, self.command(self._build), environment, place.home) as program:
            yield PeerRunning(program, program.outlets() if self.writes else None)


def peers() -> tuple[Peer, ...]:
    """All of them."""
    return (
        Peer("kafka_streams", _java, _jar),
        Peer("kafka_streams-2", _java, _jar, threads=2),
        Peer("quix", lambda build: _module(_quix_python(build), "quix"), _quix),
        Peer(
            "plain_faust",
            lambda _: _module(sys.executable, "plain_faust"),
            _installed("plain_faust", "faust-streaming"),
        ),
        Peer("limit", lambda _: _module(sys.executable, "limit"), _installed("limit", "aiokafka"), writes=False),
    )


def _module(python: str, name: str) -> Sequence[str]:
    return [python, "-P", "-m", f"benchmarks.peers.{name}"]


def _installed(name: str, library: str) -> Preparation:
    def preparation(_: Path) -> Mapping[str, str]:
        if not (PEERS / name).is_dir():
            raise CannotRun(f"there is no {PEERS.relative_to(ROOT) / name}")
        return {library: version(library)}

    return preparation


# --- Quix: an environment of its own, because its libraries are not the project's ------------------------------------


def _quix_python(build: Path) -> str:
    return str(build / ".venv-peers" / "bin" / "python")


def _quix(build: Path) -> Mapping[str, str]:
    if not QUIX.exists():
        raise CannotRun(f"there is no {QUIX.relative_to(ROOT)}")
    python, done = _quix_python(build), build / ".venv-peers" / "installed"
    if not done.exists() or done.read_bytes() != QUIX.read_bytes():
        venv.create(build / ".venv-peers", clear=True, with_pip=True)
        _run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(QUIX)])
        shutil.copy(QUIX, done)
    asked = "from importlib.metadata import version; print(version('quixstreams'))"
    return {"quixstreams": _run([python, "-c", asked]).strip()}


# --- Kafka Streams: the module beside the Java program knows how it is built and started ------------------------------


def _streams() -> Any:
    """Its module. Raises ``CannotRun``."""
    try:
        return import_module("benchmarks.peers.kafka_streams")
    except ModuleNotFoundError as error:
        raise CannotRun(f"there is no {error.name}") from None


def _jar(build: Path) -> Mapping[str, str]:
    streams, directory = _streams(), build / "kafka_streams"
    if (reason := streams.lacking()) is not None:
        raise CannotRun(reason)
    try:
        streams.build(directory)
    except streams.BuildFailed as error:
        raise CannotRun(str(error)) from None
    versions: Mapping[str, str] = streams.versions(directory)
    return {name: version for name, version in versions.items() if name.startswith("kafka")}


def _java(build: Path) -> Sequence[str]:
    command: Sequence[str] = _streams().command(build / "kafka_streams")
    return command


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CannotRun(
            f"{command[0]} {command[1]} … ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2_000:]}"
        )
    return done.stdout
