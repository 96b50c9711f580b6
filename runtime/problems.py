"""How a command ends when something went wrong, and which exceptions say by themselves what a person can do about it.

An exception of any room is told as it is, without a traceback, when it has an ``exit_code``. It needs no base class, so
a room that stands alone has such exceptions too; and nobody imports a room to find out whether it raised one.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol, runtime_checkable


class Code(IntEnum):
    """Exit codes, as ``cxbus --help`` lists them."""

    OK = 0
    WRONG = 1
    USAGE = 2
    """No restart mends it."""
    AWAY = 3


@runtime_checkable
class Explained(Protocol):
    """An exception whose message says what is wrong, where, and what to do; notes (PEP 678) say more of the last."""

    @property
    def exit_code(self) -> int:
        """How a command ends that can't go on for it: one of ``Code``."""
