"""``cxbus doctor``: what is wrong, and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from ..bus import bus_of
from ..output import document, say, shown
from ..problem import Code
from ..words import count, listed
from .examination import Away, of_the_cluster, of_the_machine
from .finding import Finding, Verdict

MARKS = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.WRONG: "✗"}


def doctor(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False
) -> None:
    """Check this machine, the brokers, the topics and their records, and say how to fix what is wrong.

    Nothing is changed. Exit code 0: all is well, or there are only warnings; 1: something is wrong; 3: Kafka is
    unreachable.

    Example: cxbus doctor
    """

    bus = bus_of(context)
    findings: list[Finding] = []
    code = Code.OK
    for part in (of_the_machine, of_the_cluster):
        try:
            for finding in part(bus):
                findings.append(finding)
                if not json:
                    _tell(finding)
        except Away as gone:
            findings.append(gone.finding)
            code = Code.AWAY
            if not json:
                _tell(gone.finding)
    if json:
        document({"findings": [asdict(finding) for finding in findings]})
    else:
        say("", summary(findings))
    if code is Code.OK and any(finding.verdict is Verdict.WRONG for finding in findings):
        code = Code.WRONG
    if code is not Code.OK:
        raise typer.Exit(code)


def _tell(finding: Finding) -> None:
    say(*lines(finding))


def lines(finding: Finding) -> list[str]:
    """The finding as a line, followed by the steps that fix it."""
    first = f"{MARKS[finding.verdict]} {finding.check}: {shown(finding.found)}"
    return [first, *(f"    → {shown(step)}" for step in finding.advice)]


def summary(findings: Sequence[Finding]) -> str:
    """One line: the number of checks, of errors and of warnings."""
    number = {verdict: sum(one.verdict is verdict for one in findings) for verdict in Verdict}
    ill = [
        *([f"{number[Verdict.WRONG]} wrong"] if number[Verdict.WRONG] else []),
        *([count(number[Verdict.WARNING], "warning")] if number[Verdict.WARNING] else []),
    ]
    return f"{count(len(findings), 'check')}: {listed(ill) if ill else 'all is well'}."
