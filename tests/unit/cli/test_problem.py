"""How an exception is told: its exit code, its words, and that nothing is imported for it."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from kafka.errors import KafkaTimeoutError

from agents.rule_files import NoRules, RuleFileError
from agents.topic_admin import ClusterAway, PartitionsDiffer, TopicRefused
from cli.problem import Code, Problem, explained
from core.rules.reading import RuleError
from deploy.broker import AlreadyRunning, BrokerFailed
from deploy.jars import DownloadFailed
from runtime.settings import SettingsError
from schemas.registry import DepartmentError
from sinks.base import SinkLost, SinkRefused, SinkUnavailable

ROOT = str(Path(__file__).parents[3])


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EACCES, Code.USAGE),
        (errno.EROFS, Code.USAGE),
        (errno.ENOENT, Code.USAGE),
        (errno.EEXIST, Code.USAGE),
        (socket.EAI_NONAME, Code.USAGE),
        (errno.ENOSPC, Code.WRONG),
        (errno.EDQUOT, Code.WRONG),
        (errno.EMFILE, Code.WRONG),
        (errno.EADDRINUSE, Code.WRONG),
    ],
)
def test_only_what_no_next_try_mends_is_for_good(number: int, code: Code) -> None:
    why = os.strerror(number) if number > 0 else "Name or service not known"
    problem = explained(OSError(number, why, "that"))
    assert problem is not None
    assert (code, f"that can't be used: {why}.") == (problem.code, str(problem))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("why"), Code.USAGE),
        (PartitionsDiffer("cx.journal.v1", 4, 8), Code.USAGE),
        (RuleFileError("why"), Code.USAGE),
        (DepartmentError("why"), Code.USAGE),
        (AlreadyRunning("localhost:9092"), Code.USAGE),
        (SinkRefused("why"), Code.USAGE),
        (ClusterAway("localhost:9092"), Code.AWAY),
        (TopicRefused("why"), Code.AWAY),
        (BrokerFailed("why"), Code.AWAY),
        (DownloadFailed("why"), Code.AWAY),
        (SinkUnavailable("why"), Code.AWAY),
        (Problem("why", Code.WRONG), Code.WRONG),
    ],
)
def test_an_exception_that_says_how_to_end_is_told_in_its_own_words(error: Exception, code: Code) -> None:
    problem = explained(error)
    assert problem is not None
    assert (code, str(error)) == (problem.code, str(problem))


def test_what_to_do_about_a_folder_without_rules_is_told_behind_it() -> None:
    problem = explained(NoRules("There is no folder /rules, so there are no rules."))
    assert problem is not None
    assert str(problem).startswith(
        "There is no folder /rules, so there are no rules. CXBUS_RULES_DIR must name the folder"
    )


@pytest.mark.parametrize("error", [ValueError("why"), OSError("why"), RuleError("why"), SinkLost("why")])
def test_what_does_not_say_how_to_end_was_expected_by_nobody(error: Exception) -> None:
    assert explained(error) is None


@pytest.mark.parametrize("code", [0, 2.0, 17, True, None, "two", []])
def test_an_exit_code_of_other_code_is_none_of_ours(code: object) -> None:
    error = RuntimeError("why")
    error.exit_code = code  # type: ignore[attr-defined]
    assert explained(error) is None


def test_an_error_of_kafka_is_one_to_try_again_after() -> None:
    problem = explained(KafkaTimeoutError("too long"))
    assert problem is not None
    assert (Code.AWAY, True) == (problem.code, str(problem).startswith("A request to Kafka failed ("))


def test_nothing_is_imported_to_explain_an_error() -> None:
    said = "import sys; from cli.problem import explained; before = set(sys.modules); explained(ValueError('why'))"
    done = subprocess.run(
        [sys.executable, "-c", f"{said}; print(*sorted(set(sys.modules) - before))"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert "" == done.stdout.strip()
