"""Processes as they show themselves: notes in the data directory, and ops pages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from cli.health import AnnouncedProcess, PageAnswer, announced, ask, forget_dead
from runtime.ops import Health, OpsPages, announce


def test_pages_are_asked_and_answer_for_themselves() -> None:
    ready = [Health(False, "restoring"), Health(True, "4 partitions")]
    pages = OpsPages(CollectorRegistry(), lambda: Health(True, "beats"), lambda: ready.pop(0))
    try:
        answers = [ask(pages.url, "/readyz"), ask(pages.url, "/readyz"), ask(pages.url, "/livez")]
    finally:
        pages.close()
    assert [PageAnswer(False, "restoring"), PageAnswer(True, "4 partitions"), PageAnswer(True, "beats")] == answers
    assert ask(pages.url, "/readyz") is None


def test_a_proxy_of_the_environment_is_not_asked_for_pages_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    pages = OpsPages(CollectorRegistry(), lambda: Health(True, ""), lambda: Health(True, "here"))
    try:
        assert PageAnswer(True, "here") == ask(pages.url, "/readyz")
    finally:
        pages.close()


def test_notes_are_read_by_name_and_broken_ones_passed_over(tmp_path: Path) -> None:
    run = tmp_path / "run"
    announce(run, "worker-0", os.getpid(), "http://h:1")
    announce(run, "sink", 2**22 + 1, "http://h:2")
    (run / "half.json").write_text('{"name": "half", ')
    expected = [
        AnnouncedProcess("sink", 2**22 + 1, "http://h:2"),
        AnnouncedProcess("worker-0", os.getpid(), "http://h:1"),
    ]
    assert expected == announced(tmp_path)
    assert [False, True] == [process.alive for process in announced(tmp_path)]


def test_notes_of_the_dead_are_forgotten(tmp_path: Path) -> None:
    announce(tmp_path / "run", "worker-0", os.getpid(), "http://h:1")
    announce(tmp_path / "run", "sink", 2**22 + 1, "http://h:2")
    forget_dead(tmp_path)
    assert ["worker-0"] == [process.name for process in announced(tmp_path)]


def test_where_nothing_ever_ran_nobody_is_announced(tmp_path: Path) -> None:
    forget_dead(tmp_path)
    assert [] == announced(tmp_path)
