"""``cxbus rules``: lists the alert rules in force, and tests rule files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from agents.rule_files import Failure, NoRules, digest, read, run_tests
from agents.rule_files import files as files_of
from agents.vocabulary import vocabulary
from core.rules.reading import RuleError
from core.rules.rule import Rule

from .bus import Bus, bus_of
from .output import document, note, say, shown
from .problem import Code, Problem
from .rules_in_force import rules, rules_dir
from .tables import table
from .words import count


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """The result of checking one rule file: ``error`` if it can't be used, else the failures of its test cases."""

    file: Path
    rule: str | None
    version: int | None
    tests: int
    failures: Sequence[Failure]
    error: str | None

    @property
    def good(self) -> bool:
        """Whether it can be used."""
        return self.error is None and not self.failures


def list_(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False
) -> None:
    """List the rules in force.

    Example: cxbus rules list
    """
    bus = bus_of(context)
    folder, found = rules_dir(bus), rules(bus).rules.values()
    if json:
        document({"folder": str(folder), "digest": digest(folder), "rules": [_plain(rule) for rule in found]})
        return
    table(
        ("rule", "version", "severity", "notifies", "about"),
        [(rule.name, rule.version, rule.severity, ", ".join(rule.notify), rule.about) for rule in found],
        right=("version",),
    )
    note(f"{count(len(found), 'rule')} in {folder}, digest {digest(folder)}")


def check(
    context: typer.Context,
    path: Annotated[Path | None, typer.Argument(help="A rule file or a folder; default: the rules in force.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Check rules, and run the test cases in their files; exit code 1 if anything is wrong.

    Example: cxbus rules check my-rules/quiet-customer.yaml
    """
    bus = bus_of(context)
    verdicts = _checked(bus, _files(bus, path))
    if json:
        document([_plain_verdict(verdict) for verdict in verdicts])
    else:
        for verdict in verdicts:
            _tell(verdict)
    if not all(verdict.good for verdict in verdicts):
        raise typer.Exit(Code.WRONG)


def _files(bus: Bus, path: Path | None) -> list[Path]:
    if path is None:
        return files_of(rules_dir(bus))
    if not path.exists():
        raise Problem(f"There is no {path}.", Code.USAGE)
    try:
        return files_of(path) if path.is_dir() else [path]
    except NoRules as error:
        raise Problem(str(error), Code.USAGE) from error


def _checked(bus: Bus, files: Sequence[Path]) -> list[RuleVerdict]:
    verdicts: list[RuleVerdict] = []
    names: dict[str, Path] = {}
    for file in files:
        verdict = _judge(bus, file)
        twin = names.setdefault(verdict.rule, file) if verdict.rule else file
        if twin != file:
            error = f"rule {verdict.rule}: {twin.name} has a rule of this name, too"
            verdict = RuleVerdict(file, verdict.rule, verdict.version, verdict.tests, (), error)
        verdicts.append(verdict)
    return verdicts


def _judge(bus: Bus, file: Path) -> RuleVerdict:
    known = vocabulary(bus.registry)
    rule = None
    try:
        rule = read(file, known, bus.registry.outreach)
        return RuleVerdict(file, rule.name, rule.version, len(rule.tests), run_tests(rule, known), None)
    except RuleError as error:
        said = str(error).removeprefix(f"{file.name}: ")
        if rule is None:
            return RuleVerdict(file, None, None, 0, (), said)
        return RuleVerdict(file, rule.name, rule.version, len(rule.tests), (), said)
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}.", Code.USAGE) from error


def _tell(verdict: RuleVerdict) -> None:
    if verdict.error is not None:
        say(f"✗ {verdict.file.name}: {shown(verdict.error)}")
        return
    tests = f"{count(verdict.tests, 'test case')} passed" if verdict.tests else "it has no test cases"
    if not verdict.failures:
        say(f"✓ {verdict.rule} version {verdict.version}: {tests}")
        return
    say(f"✗ {verdict.rule} version {verdict.version}: {len(verdict.failures)} of {verdict.tests} test cases failed")
    for failure in verdict.failures:
        say(
            f"    it {shown(failure.case)}",
            f"      expected: {_alerts(failure.expected)}",
            f"      found:    {_alerts(failure.found)}",
        )


def _alerts(alerts: Sequence[Mapping[str, str]]) -> str:
    each = ("{" + ", ".join(f"{name}: {shown(value)}" for name, value in alert.items()) + "}" for alert in alerts)
    return ", ".join(each) or "no alert"


def _plain(rule: Rule) -> Mapping[str, Any]:
    return {
        "rule": rule.name,
        "version": rule.version,
        "about": rule.about,
        "when": list(rule.when),
        "key": rule.key,
        "severity": rule.severity,
        "notify": list(rule.notify),
        "mutes": list(rule.mutes),
        "expiresSeconds": None if rule.expires is None else rule.expires // 1_000_000,
        "cooldownSeconds": rule.cooldown // 1_000_000,
        "reason": rule.reason,
        "action": rule.action,
        "tests": len(rule.tests),
    }


def _plain_verdict(verdict: RuleVerdict) -> Mapping[str, Any]:
    return {
        "file": str(verdict.file),
        "rule": verdict.rule,
        "version": verdict.version,
        "good": verdict.good,
        "tests": verdict.tests,
        "failures": [
            {name: value for name, value in asdict(failure).items() if name != "rule"} for failure in verdict.failures
        ],
        "error": verdict.error,
    }
