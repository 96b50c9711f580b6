"""Kafka's jars on this machine: downloaded once per user through jgo, then reused without network access."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from deploy.lock import JARS, KAFKA, Jar

#: Seconds without a byte before a download is given up.
TIMEOUT = 30
#: Parallel downloads: most files are small, so most of the time is spent waiting for responses.
AT_ONCE = 4

#: jgo calls it with a file's name and size in bytes, and calls what it yields with each number of bytes received.
Progressing = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


class DownloadFailed(Exception):
    """Kafka's jars could not be downloaded or stored. The message says why and what to do."""

    exit_code = 3  # of the command: try again


def cache_dir(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where downloads are kept: ``CXBUS_CACHE``, else ``cxbus`` in the user's cache directory of this platform."""
    chosen = environ.get("CXBUS_CACHE")
    if chosen:
        return Path(chosen)
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "cxbus"
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cxbus"


def kafka_jars(cache: Path, mirror: str | None = None, jars: Sequence[Jar] = JARS) -> tuple[Path, ...]:
    """The paths of ``jars`` in ``cache``; downloads them (Kafka's: 45 MB) if one is missing or has another size.

    They come from ``mirror``, the address of a Maven repository (such as a company's own), else from jgo's default. A
    later call uses nothing of an interrupted download; of several processes one downloads and the others wait for it.
    Raises ``DownloadFailed``, also for a jar whose SHA-256 is not the one in the lock.
    """
    home = cache.absolute() / f"kafka-{KAFKA}-{_digest(jars)}"
    paths = tuple(home / jar.name for jar in jars)
    if _complete(home, jars):
        return paths
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with _locked(_beside(home, "lock")):
            if not _complete(home, jars):  # else another process downloaded them while this one waited
                _download(home, mirror, jars)
    except OSError as failure:
        raise DownloadFailed(
            f"Apache Kafka {KAFKA} could not be stored in {home.parent} ({failure}). "
            "Free space there, or name another directory in CXBUS_CACHE."
        ) from failure
    return paths


def _digest(jars: Sequence[Jar]) -> str:
    """Names the directory after the lock's content, so that two versions of the bus can share a cache."""
    return hashlib.sha256("\n".join(jar.sha256 for jar in jars).encode()).hexdigest()[:8]


def _beside(home: Path, ending: str) -> Path:
    return home.with_name(f"{home.name}.{ending}")


def _complete(home: Path, jars: Sequence[Jar]) -> bool:
    try:
        return all((home / jar.name).stat().st_size == jar.size for jar in jars)
    except OSError:
        return False


def _download(home: Path, mirror: str | None, jars: Sequence[Jar]) -> None:
    partial = _beside(home, "partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by an interrupted download
    gathered = partial / "jars"
    gathered.mkdir(parents=True)
    try:
        with _shown(jars, home) as progressing, ThreadPoolExecutor(AT_ONCE) as threads:
            fetch = _fetcher(partial / "repository", mirror, progressing)
            for jar, path in zip(jars, threads.map(fetch, jars), strict=True):
                _verify(jar, path)
                path.rename(gathered / jar.name)
        shutil.rmtree(home, ignore_errors=True)
        gathered.rename(home)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fetcher(repository: Path, mirror: str | None, progressing: Progressing) -> Callable[[Jar], Path]:
    import requests
    from jgo.maven import MavenContext, PythonResolver  # slow to import, and needed once per machine

    context = MavenContext(
        PythonResolver(progress_callback=progressing),
        repo_cache=repository,
        remote_repos={"mirror": mirror} if mirror else None,
        timeout=TIMEOUT,
    )

    def fetch(jar: Jar) -> Path:
        try:
            path: Path = context.create_dependency(jar.coordinate).artifact.resolve()
        except (requests.RequestException, RuntimeError) as failure:  # RuntimeError: jgo's "not found"
            raise DownloadFailed(
                f"{jar.name} of Apache Kafka {KAFKA} could not be downloaded ({failure}). Check the network and the "
                "proxy settings, then start again; or name a Kafka that is already running in CXBUS_BOOTSTRAP."
            ) from failure
        return path

    return fetch


def _verify(jar: Jar, path: Path) -> None:
    """Raises ``DownloadFailed`` for a wrong SHA-256: jgo only logs a wrong checksum."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise DownloadFailed(
            f"{jar.name} is not the file that the lock names: SHA-256 {found} instead of {jar.sha256}. "
            "Something between here and the registry changes files, or answers with a page of its own: ask who runs it."
        )


@contextmanager
def _shown(jars: Sequence[Jar], home: Path) -> Iterator[Progressing]:
    """Show a progress bar of the bytes received on stderr; one line if stderr is not a terminal."""
    console = Console(stderr=True)
    total = sum(jar.size for jar in jars)
    if not console.is_terminal:
        print(f"Downloading Apache Kafka {KAFKA} ({total / 1e6:.0f} MB, once) to {home}", file=sys.stderr, flush=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"Apache Kafka {KAFKA}", total=total)

        @contextmanager
        def progressing(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
            yield lambda received: progress.advance(task, received)

        yield progressing


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
