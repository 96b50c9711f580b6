"""What goes wrong in a command: said in words, with an exit code, without a traceback."""

from __future__ import annotations

import errno
from enum import IntEnum


class Code(IntEnum):
    """Exit codes, as ``cxbus --help`` lists them."""

    OK = 0
    WRONG = 1
    USAGE = 2
    AWAY = 3


NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PASSING = (*NO_ROOM, errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.EIO)
"""Errors of the system that the next try may not meet: there is room, whoever has the address ends."""
TOLD = "cxbus: "
"""Begins the line on stderr in which a command says what went wrong."""


def lasting(error: OSError) -> bool:
    """Whether it stays until a person changes something."""
    return error.errno is not None and error.errno not in PASSING


class Problem(Exception):
    """Ends a command. The message says what is wrong, where, and what to do."""

    def __init__(self, message: str, code: Code) -> None:
        super().__init__(message)
        self.code = code


def explained(error: Exception) -> Problem | None:
    """The problem that an exception of another room is for the user; None for one that nobody expected.

    The rooms are imported here, where something went wrong, because a command that works must start quickly.
    """
    if isinstance(error, Problem):
        return error
    from agents.rule_files import NoRules
    from agents.topic_admin import ClusterAway, PartitionsDiffer, TopicRefused
    from core.rules.reading import RuleError
    from deploy.broker import AlreadyRunning, BrokerFailed
    from deploy.jars import DownloadFailed
    from runtime.settings import SettingsError

    if isinstance(error, NoRules):
        return Problem(
            f"{error} CXBUS_RULES_DIR must name the folder of your rules; without it the shipped ones are in force.",
            Code.USAGE,
        )
    if isinstance(error, SettingsError | PartitionsDiffer | RuleError | AlreadyRunning):
        return Problem(str(error), Code.USAGE)
    if isinstance(error, ClusterAway | TopicRefused | BrokerFailed | DownloadFailed):
        return Problem(str(error), Code.AWAY)
    if isinstance(error, OSError) and error.filename is not None:
        code = Code.USAGE if lasting(error) else Code.WRONG
        return Problem(f"{error.filename} can't be used: {error.strerror}.", code)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return Problem(f"What was to be written found no room: {error.strerror}.", Code.WRONG)
    return _of_the_database(error) or _of_kafka(error)


def _of_the_database(error: Exception) -> Problem | None:
    from sinks.base import SinkRefused, SinkUnavailable

    if isinstance(error, SinkRefused):
        return Problem(str(error), Code.USAGE)
    if isinstance(error, SinkUnavailable):
        return Problem(f"The database can't be used just now ({error}); try again.", Code.AWAY)
    return None


def _of_kafka(error: Exception) -> Problem | None:
    from kafka.errors import KafkaError

    if isinstance(error, KafkaError):
        return Problem(f"Kafka could not do it ({error}). See `cxbus status`, then try again.", Code.AWAY)
    return None
