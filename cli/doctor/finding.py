"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it stands. A warning is no reason to fail: the bus works, but not as well as it could."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``mend`` has a command or a sentence for each step; what is well needs none."""

    check: str
    verdict: Verdict
    found: str
    mend: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.verdict is Verdict.OK) != (not self.mend):
            raise ValueError(f"{self.check}: what is well needs no remedy, everything else needs one")


def ok(check: str, found: str) -> Finding:
    """As it should be."""
    return Finding(check, Verdict.OK, found)


def warning(check: str, found: str, *mend: str) -> Finding:
    """Works, but should be otherwise."""
    return Finding(check, Verdict.WARNING, found, mend)


def wrong(check: str, found: str, *mend: str) -> Finding:
    """The bus does not work, or does not keep its promises."""
    return Finding(check, Verdict.WRONG, found, mend)
