"""The guard against growing costs: counted, so that a busy machine gives the same answer."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.guard import instructions, measure, recorded

MORE, LESS = 1.03, 0.85
"""Limits of the figures over the recorded ones. Who makes an event much cheaper records the new figure."""


def test_an_event_costs_what_was_recorded(tmp_path: Path) -> None:
    """Otherwise: ``python -m benchmarks.guard``, and say in the commit why it is worth it."""
    was, now = recorded(sys.version_info[:2]), measure(tmp_path)
    ratios = {"intake": now.intake / was.intake, "journey": now.journey / was.journey, "bytes": now.bytes / was.bytes}
    assert {} == {name: f"{ratio:.2f}" for name, ratio in ratios.items() if not LESS < ratio < MORE}


def test_twice_the_work_is_twice_the_instructions() -> None:
    def work(times: int) -> int:
        return sum([number * number for number in range(times)])

    _, once = instructions(lambda: work(1_000))
    found, twice = instructions(lambda: work(2_000))
    assert work(2_000) == found
    assert 1.95 < twice / once < 2.05
