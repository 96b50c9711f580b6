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
    """One line of the report. ``advice`` has a command or a sentence for each step of the fix; empty if all is well."""

    check: str
    verdict: Verdict
    found: str
    advice: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.verdict is Verdict.OK) != (not self.advice):
            raise ValueError(f"{self.check}: a finding has advice unless its verdict is ok")


def ok(check: str, found: str) -> Finding:
    """A finding that all is as it should be."""
    return Finding(check, Verdict.OK, found)


def warning(check: str, found: str, *advice: str) -> Finding:
    """A finding of something that works, but should be changed."""
    return Finding(check, Verdict.WARNING, found, advice)


def wrong(check: str, found: str, *advice: str) -> Finding:
    """A finding because of which the bus does not work, or does not keep its guarantees."""
    return Finding(check, Verdict.WRONG, found, advice)
