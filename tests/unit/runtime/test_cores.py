"""The cores that a process may use: a container's quota counts, too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.cores import usable_cores


@pytest.mark.parametrize(
    ("said", "cores"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("350000 100000", 3),
        ("50000 100000", 1),
        ("1600000 100000", 8),
        ("", 8),
        ("0 0 0", 8),
        ("100 0", 8),
    ],
)
def test_a_quota_is_an_upper_bound(said: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    quota = tmp_path / "cpu.max"
    quota.write_text(said + "\n", encoding="ascii")
    assert cores == usable_cores(quota)


def test_without_a_quota_the_affinity_counts_and_without_that_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert 3 == usable_cores(tmp_path / "none")
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert 6 == usable_cores(tmp_path / "none")
