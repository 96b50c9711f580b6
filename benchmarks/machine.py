"""Where and of what a figure was measured: machine, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.lock import KAFKA

from .worker import ROOT


@dataclass(frozen=True, slots=True)
class Machine:
    """``load``: of the last minute, before the first round and after the last one: who else was at work."""

    processors: str
    mebibytes: int
    system: str
    versions: Mapping[str, str]
    commit: str
    load: tuple[float, float]

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return (
            f"{self.processors}, {self.mebibytes / 1024:.0f} GiB, {self.system}; load {self.load[0]:.1f} before, "
            f"{self.load[1]:.1f} after; {versions}; commit {self.commit}"
        )


def machine(libraries: Mapping[str, str], load_before: float, *, embedded: bool) -> Machine:
    """This one, now."""
    kafka = {"kafka": KAFKA} if embedded else {}
    return Machine(
        processors=f"{os.cpu_count()} x {processor()}",
        mebibytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        system=f"{platform.system()} {platform.release()}",
        versions={"python": platform.python_version(), **kafka, **libraries},
        commit=commit(),
        load=(round(load_before, 1), round(load(), 1)),
    )


def load() -> float:
    """Processes at work or waiting for a processor, on average over the last minute."""
    return os.getloadavg()[0]


def processor() -> str:
    """What the CPU calls itself."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def commit(tree: Path = ROOT) -> str:
    """The commit that was measured, ``+`` when files differ from it."""
    said = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=tree, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"
