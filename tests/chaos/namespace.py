"""A test that runs in user, network and mount namespaces of its own, where it may cut cables and mount disks.

A process with threads can't enter a user namespace, so the test is started anew in a pytest of its own inside one.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.jars import cache_dir, kafka_jars
from deploy.java import find_java

ROOT = Path(__file__).parents[2]
INSIDE = "CXBUS_TEST_NAMESPACE"
UNSHARE = ("unshare", "--user", "--map-root-user", "--net", "--mount", "--kill-child")
TOOLS = ("unshare", "nsenter", "ip", "mount")


def in_namespace(test: Callable[..., None]) -> Callable[..., None]:
    """Decorates a test: it runs inside, what it told is printed outside. Skipped where no namespace can be had."""

    @functools.wraps(test)
    def again(*arguments: object, **fixtures: object) -> None:
        if INSIDE in os.environ:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            test(*arguments, **fixtures)
            return
        why = impossible()
        if why is not None:
            pytest.skip(why)
        kafka_jars(cache_dir(os.environ), os.environ.get("CXBUS_MAVEN_MIRROR"))  # inside there is no network
        find_java(os.environ)
        name = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
        pytest_inside = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", name]
        done = subprocess.run(
            [*UNSHARE, *pytest_inside],
            cwd=ROOT,
            env={**os.environ, INSIDE: "1", "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        told = "\n".join(line for line in done.stdout.splitlines() if line.startswith(("row", "  ")))
        capture = fixtures.get("capsys")
        if done.returncode == 0 and isinstance(capture, pytest.CaptureFixture):
            with capture.disabled():
                print(f"\n{told}")
        assert 0 == done.returncode, done.stdout
        assert "1 passed" in done.stdout, done.stdout

    return again


def impossible() -> str | None:
    """Why no namespace can be had here; None if one can."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"no {', '.join(missing)} here"
    probe = "ip link set lo up && ip link add one type veth peer name other && mount -t tmpfs none /mnt"
    tried = subprocess.run([*UNSHARE, "sh", "-c", probe], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"no namespaces here: {tried.stderr.strip()}"
