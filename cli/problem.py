"""Errors of a command: a message for people and an exit code instead of a traceback."""

from __future__ import annotations

import errno
import sys

from runtime.problems import Code, Explained

__all__ = ["FAILURES", "NO_ROOM", "PASSING", "TOLD", "Code", "Problem", "explained", "lasting"]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PASSING = (*NO_ROOM, errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.EIO)
"""Errors of the system that may pass by themselves: space is freed, a port becomes free."""
FAILURES = (Code.WRONG, Code.USAGE, Code.AWAY)
"""The exit codes that an exception may ask for. Those of other libraries may have an attribute of that name, too."""
TOLD = "cxbus: "
"""Prefix of the error message that a command prints on stderr."""


def lasting(error: OSError) -> bool:
    """Whether the error stays until a person changes something."""
    return error.errno is not None and error.errno not in PASSING


class Problem(Exception):
    """Ends a command. The message says what is wrong, where, and what to do."""

    def __init__(self, message: str, code: Code) -> None:
        super().__init__(message)
        self.code = code


def explained(error: Exception) -> Problem | None:
    """The exception as a ``Problem`` for the user; None for an unexpected one. Imports nothing."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Explained) and type(error.exit_code) in (int, Code) and error.exit_code in FAILURES:
        return Problem(" ".join([str(error), *getattr(error, "__notes__", ())]), Code(error.exit_code))
    if isinstance(error, OSError) and error.filename is not None:
        code = Code.USAGE if lasting(error) else Code.WRONG
        return Problem(f"{error.filename} can't be used: {error.strerror}.", code)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return Problem(f"The output could not be written: {error.strerror}.", Code.WRONG)
    if _is_of_kafka(error):
        return Problem(f"A request to Kafka failed ({error}). See `cxbus status`, then try again.", Code.AWAY)
    return None


def _is_of_kafka(error: Exception) -> bool:
    """Whether it is an error of kafka-python. If that is not imported, it can't be."""
    errors = sys.modules.get("kafka.errors")
    return errors is not None and isinstance(error, errors.KafkaError)
