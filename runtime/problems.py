"""Exit codes of commands, and which exceptions say by themselves what a person can do.

An exception of any package that has an ``exit_code`` is shown by its message alone, without a traceback. It needs no
base class, so a package that imports no other has such exceptions too; and nobody imports a package to find out whether
it raised one.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol, runtime_checkable


class Code(IntEnum):
    """Exit codes, as ``cxbus --help`` lists them."""

    OK = 0
    WRONG = 1
    USAGE = 2
    """A restart does not help."""
    AWAY = 3


@runtime_checkable
class Explained(Protocol):
    """An exception whose message says what is wrong, where, and what to do; notes (PEP 678) add to what to do."""

    @property
    def exit_code(self) -> int:
        """The exit code of a command that can't continue because of it: one of ``Code``."""
