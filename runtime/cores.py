"""How many cores this process may use: of the machine, of its affinity, and of its container's quota."""

from __future__ import annotations

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Of the container (cgroup v2): µs of CPU in so many µs of time; ``max``: no quota."""


def usable_cores(quota: Path = _QUOTA) -> int:
    """At least 1. A part of a core that a quota leaves does not count."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        allowed, period = quota.read_text(encoding="ascii").split()
        return max(1, min(cores, int(allowed) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):  # no quota, or a system without such files
        return cores
