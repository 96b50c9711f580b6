"""Rules as files: reads the YAML files of a folder, and runs the test cases in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import yaml

from core.alerts.history import matches
from core.alerts.matching import Match
from core.rules.parsing import parse_rule
from core.rules.reading import RuleError
from core.rules.rule import Rule
from core.rules.ruleset import RuleSet
from core.timeline.entry import Entry, event_uid, rfc3339
from core.timeline.vocabulary import Vocabulary
from runtime.problems import Code

BUILT_IN = Path(__file__).resolve().parent.parent / "rules"
"""The folder of the shipped rules, in the project and in an installation alike."""

SUFFIXES = (".yaml", ".yml")


class _Loader(yaml.SafeLoader):
    """A YAML loader that leaves dates as text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A test case of a rule whose alerts differ from what the author expected."""

    rule: str
    case: str
    expected: list[dict[str, str]]
    found: list[dict[str, str]]


class RuleFileError(RuleError):
    """A rule file that can't be used. The message names file, rule and field."""

    exit_code = Code.USAGE


class NoRules(RuleFileError):
    """A folder holds no rule. The message names the folder and says what is there instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.add_note("CXBUS_RULES_DIR must name the folder of your rules; without it the shipped rules are used.")


def files(folder: Path) -> list[Path]:
    """The rule files of ``folder``, by name.

    Raises ``NoRules`` when there is none: a bus without rules sends no alerts, and looks healthy.
    """
    folder = folder.absolute()
    if not folder.exists():
        raise NoRules(f"There is no folder {folder}, so there are no rules.")
    if not folder.is_dir():
        raise NoRules(f"{folder} is not a folder; rules are files in a folder.")
    found = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    if not found:
        others = sorted(path.name for path in folder.iterdir())
        there = f"has no rule, only {', '.join(others[:3])}{', …' * (len(others) > 3)}" if others else "is empty"
        raise NoRules(f"{folder} {there}; rules are files that end in {' or '.join(SUFFIXES)}.")
    return found


def load(folder: Path, vocabulary: Vocabulary, outreach: Sequence[str]) -> RuleSet:
    """The rules of ``folder``, one YAML file each.

    Raises ``NoRules`` when there is none, and ``RuleFileError`` that names file, rule and field when one is wrong.
    """
    rules: dict[str, Rule] = {}
    for path in files(folder):
        rule = read(path, vocabulary, outreach)
        if rule.name in rules:
            raise RuleFileError(f"{path.name}: rule {rule.name}: another file has a rule of this name")
        rules[rule.name] = rule
    return RuleSet(list(rules.values()), vocabulary)


def read(path: Path, vocabulary: Vocabulary, outreach: Sequence[str]) -> Rule:
    """The rule of one file. Raises ``RuleFileError`` that names file, rule and field."""
    try:
        return parse_rule(_document(path), vocabulary, outreach)
    except RuleError as error:
        raise RuleFileError(f"{path.name}: {error}") from None


def _document(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RuleError(f"is not YAML: {' '.join(str(error).split())}") from None


def digest(folder: Path) -> str:
    """Eight hex digits that identify the rules a worker runs with. Raises ``NoRules`` when there is none."""
    content = b"\0".join(path.name.encode() + b"\n" + path.read_bytes() for path in files(folder))
    return hashlib.sha256(content).hexdigest()[:8]


def run_tests(rule: Rule, vocabulary: Vocabulary) -> list[Failure]:
    """Runs the rule's own test cases, each on a timeline that holds only the case's events.

    Raises ``RuleError`` for a case that can't be read.
    """
    rules = RuleSet([rule], vocabulary)
    failures = []
    for number, case in enumerate(rule.tests):
        name = str(case.get("it", f"case {number + 1}")) if isinstance(case, Mapping) else ""
        try:
            events, alerts = cast(Sequence[Any], case["events"]), cast(Sequence[Any], case["alerts"])
            entries = [_entry(i, *event) for i, event in enumerate(events)]
            expected = [{field: _text(field, value) for field, value in alert.items()} for alert in alerts]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RuleError(f"rule {rule.name}: tests[{number}]: {error}") from None
        unknown = [entry.type for entry in entries if entry.type not in vocabulary]
        if unknown:
            raise RuleError(f"rule {rule.name}: tests[{number}]: {unknown[0]!r} is not an event type")
        found = [_seen(match) for match in matches(entries, rules)]
        shown = [{k: v for k, v in f.items() if k in e} for f, e in zip(found, expected, strict=False)]
        if len(found) != len(expected) or shown != expected:
            failures.append(Failure(rule.name, name, expected, found))
    return failures


def _entry(number: int, at: str, kind: str, data: Mapping[str, object]) -> Entry:
    return Entry(_instant(at), event_uid("test", str(number)), kind, "test", str(number), data)


def _instant(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write 2026-03-02T09:00Z")
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _text(field: str, value: Any) -> str:
    return rfc3339(_instant(value)) if field in ("at", "ends") else str(value)


def _seen(match: Match) -> dict[str, str]:
    ends = "never" if match.match_end.end is None else rfc3339(match.match_end.end)
    return {"at": rfc3339(match.entry.at), "key": match.match_end.key, "ends": ends}
