"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The severity of a finding. With a warning the bus works, but not as well as it could."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``mend`` has a command or a sentence for each step of the fix; empty if all is well."""

    check: str
    verdict: Verdict
    found: str
    mend: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.verdict is Verdict.OK) != (not self.mend):
            raise ValueError(f"{self.check}: what is well needs no remedy, everything else needs one")


def ok(check: str, found: str) -> Finding:
    """A finding that all is as it should be."""
    return Finding(check, Verdict.OK, found)


def warning(check: str, found: str, *mend: str) -> Finding:
    """A finding of something that works, but should be changed."""
    return Finding(check, Verdict.WARNING, found, mend)


def wrong(check: str, found: str, *mend: str) -> Finding:
    """A finding because of which the bus does not work, or does not keep its guarantees."""
    return Finding(check, Verdict.WRONG, found, mend)
