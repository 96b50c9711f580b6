"""The Kafka Streams peer: what it lacks on this machine, how Maven builds it, and how it is started.

The program is Java and stands beside this file. It is told what to do in its environment: see the README.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

HOME = Path(__file__).parent
OLDEST = 17
"""Release of Java that the program is compiled for."""

JVM = ("-Xms1g", "-Xmx1g", "-XX:+UseParallelGC", "-XX:MaxDirectMemorySize=512m")
"""Measured: see the README. With RocksDB's memory the process takes 1.4 GiB."""

_VERSION = re.compile(r'\bversion "(\d+)')


class BuildFailed(Exception):
    """Maven could not build it; the message has the end of what Maven said."""


def lacking() -> str | None:
    """Why the peer can't be built or run here, in a line; None when all is there."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            return f"the Kafka Streams peer needs {program}, and there is none on PATH"
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, errors="replace")
    found = _VERSION.search(said.stderr + said.stdout)
    if found is None or int(found[1]) < OLDEST:
        return f"the Kafka Streams peer needs Java {OLDEST} or newer, and java is {found[1] if found else 'unknown'}"
    return None


def build(directory: Path) -> None:
    """Builds into ``directory``, unless what stands there is newer than the sources. Raises ``BuildFailed``."""
    directory = directory.absolute()
    if _fresh(directory):
        return
    done = subprocess.run(
        ["mvn", "-q", "-B", "-f", str(HOME / "pom.xml"), f"-Dpeer.build={directory}", "package"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BuildFailed(f"mvn ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2_000:]}")


def command(directory: Path) -> Sequence[str]:
    """The command line that starts what was built in ``directory``."""
    directory = directory.absolute()
    return ["java", *JVM, "-cp", f"{_jar(directory)}{os.pathsep}{directory / 'lib'}/*", "cxbus.peer.Main"]


def versions(directory: Path) -> dict[str, str]:
    """Of the libraries that it was built with, by name."""
    names = sorted(jar.stem for jar in (directory / "lib").glob("*.jar"))
    return {name.rpartition("-")[0]: name.rpartition("-")[2] for name in names}


def _jar(directory: Path) -> Path:
    return directory / "kafka-streams-peer.jar"


def _fresh(directory: Path) -> bool:
    sources = [HOME / "pom.xml", *(path for path in (HOME / "src").rglob("*") if path.is_file())]
    jar = _jar(directory)
    return jar.exists() and jar.stat().st_mtime > max(path.stat().st_mtime for path in sources)
