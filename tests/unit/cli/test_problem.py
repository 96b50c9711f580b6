"""Which exit code an error of the system has: 2 only for what stays until a person changes something."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from cli.problem import Code, explained


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
