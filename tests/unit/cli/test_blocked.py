"""What `cxbus status` says of blocked identifiers: asked of a real ops page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry

from agents.blocked import Blocked, BlockedIdentifiers
from cli.blocked import LISTED, asked, tell
from cli.health import AnnouncedProcess
from runtime.ops import Health, OpsPages

NOW = 1_795_000_000_000_000


@contextmanager
def worker(blocked: BlockedIdentifiers) -> Iterator[AnnouncedProcess]:
    pages = OpsPages(
        CollectorRegistry(),
        lambda: Health(True, ""),
        lambda: Health(True, ""),
        documents={"/blocked": blocked.page},
    )
    try:
        yield AnnouncedProcess("worker-0", os.getpid(), pages.url)
    finally:
        pages.close()


def some(number: int) -> BlockedIdentifiers:
    found = BlockedIdentifiers()
    for index in range(number):
        found = found.with_one(Blocked(NOW + index, f"i/{index}", "email", f"c_{index}"))
    return found


def test_they_are_told_with_since_when_and_whose_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    with worker(some(1)) as process:
        tell(asked([process]))
    out = capsys.readouterr().out
    assert "1 identifier is blocked: too many customers used it within 24 hours." in out
    assert ["2026-11-18", "11:06:40Z", "email", "c_0"] == out.split("\n")[-2].split()


def test_of_many_the_latest_are_told_and_all_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with worker(some(250)) as process:
        said = asked([process])
    assert said is not None
    assert (250, 100, "c_249") == (said["count"], len(said["latest"]), said["latest"][0]["customerId"])
    tell(said)
    out = capsys.readouterr().out
    assert LISTED == out.count("email")
    assert "c_249" in out
    assert "c_0" not in out
    assert "`cxbus status --json` has more" in out


def test_nothing_is_said_when_there_are_none_or_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    with worker(some(0)) as process:
        tell(asked([process]))
    assert asked([process]) is None, "it has ended"
    tell(asked([]))
    assert "" == capsys.readouterr().out
