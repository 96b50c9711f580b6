"""The expected outcome of the story, and how a run differs from it. Pure except for reading the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

EXPECTED = Path(__file__).with_name("expected.yaml")


class ManifestError(Exception):
    """The manifest can't be read. The message names file and field."""


class ExpectedAlert(NamedTuple):
    """An alert at the end of the story: its rule, its customer (``of``), last state, and the notified departments."""

    rule: str
    of: str
    state: str
    departments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule} of {self.of}, {self.state}, sent to {', '.join(self.departments) or 'nobody'}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of the story, found or expected: ``merges`` counted by person, ``dead`` letters by reason."""

    customers: int
    merges: Mapping[str, int]
    alerts: tuple[ExpectedAlert, ...]
    dead: Mapping[str, int]


def load(path: Path = EXPECTED) -> Outcome:
    """Read the manifest in ``path``. Raises ``ManifestError``."""
    try:
        said: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Outcome(
            customers=int(said["customers"]),
            merges={str(who): int(count) for who, count in said["merges"].items()},
            alerts=tuple(
                ExpectedAlert(alert["rule"], alert["of"], alert["state"], tuple(sorted(alert["departments"])))
                for alert in said["alerts"]
            ),
            dead={str(reason): int(count) for reason, count in said["dead"].items()},
        )
    except (OSError, yaml.YAMLError) as error:
        raise ManifestError(f"{path}: {' '.join(str(error).split())}") from None
    except KeyError as error:
        raise ManifestError(f"{path}: {error} is missing") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise ManifestError(f"{path}: {error}") from None


def differences(expected: Outcome, found: Outcome) -> list[str]:
    """Each difference as text; empty when the outcome is exactly the expected one."""
    said = []
    if expected.customers != found.customers:
        said.append(f"{expected.customers} customers expected, {found.customers} found")
    said += _counted("alert", Counter(expected.alerts), Counter(found.alerts))
    said += _counted("merge of", Counter(expected.merges), Counter(found.merges))
    said += _counted("dead letter", Counter(expected.dead), Counter(found.dead))
    return said


def _counted(what: str, expected: Counter[Any], found: Counter[Any]) -> list[str]:
    """What is missing and what is too much, each with its count."""
    return [
        *(f"missing: {what} {thing}{_times(count)}" for thing, count in _sorted(expected - found)),
        *(f"unexpected: {what} {thing}{_times(count)}" for thing, count in _sorted(found - expected)),
    ]


def _sorted(counts: Counter[Any]) -> list[tuple[Hashable, int]]:
    return sorted(counts.items(), key=lambda counted: str(counted[0]))


def _times(count: int) -> str:
    return "" if count == 1 else f" ({count} times)"
