"""What a run leaves: JSON for machines, with every round, and Markdown for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from .machine import Machine
from .race import Round
from .scenario import Scenario
from .table import CPU_HEADINGS, HEADINGS, cpu, markdown, rows
from .worker import ROOT

RESULTS = ROOT / "benchmarks" / "results"


def save(folder: Path, name: str, document: Mapping[str, Any], text: str) -> Path:
    """Writes ``name``.json and ``name``.md; the latter's path. Of two like runs in a day, the later one stays."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    path = folder / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    return path


def leave(
    folder: Path, what: str, about: Machine, paragraphs: Sequence[str], document: Mapping[str, Any]
) -> tuple[str, Path]:
    """The same of a run that ends now: the text, its paragraphs, and where it stands. The machine is in the document.

    ``paragraphs``: the first is the title, the second ends with what was measured where.
    """
    title, settings, *others = paragraphs
    text = "\n\n".join([f"# {title}", f"{settings} {about}.", *others]) + "\n"
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    held = {"date": date, "machine": asdict(about), **document}
    return text, save(folder, name_of(date, about, what), held, text)


def name_of(date: str, machine: Machine, what: str) -> str:
    """Of a run's files, without the ending."""
    return f"{date}-{machine.commit.replace('+', '-changed')}-{what}"


@dataclass(frozen=True, slots=True)
class Report:
    """One scenario's rounds. ``rate``: events/s at which the backlog came, by its stamps; 0: in six days.

    ``skipped``: who could not take part, and why. ``date``: YYYY-MM-DD.
    """

    date: str
    scenario: Scenario
    partitions: int
    rate: float
    machine: Machine
    rounds: Sequence[Round]
    skipped: Mapping[str, str]

    @property
    def name(self) -> str:
        """Of its files, without the ending."""
        return name_of(self.date, self.machine, f"{self.scenario.name}-{self.scenario.events}")

    def text(self) -> str:
        """For people."""
        scenario, found = self.scenario, rows(self.rounds)
        most = max((row.rounds for row in found), default=0)
        parts = [
            f"# {scenario.name}: {scenario.events:,} events of {scenario.customers:,} customers",
            f"{self.date}, {self.partitions} partitions, {self._came()}, medians of {most} rounds. {self.machine}.",
            markdown(HEADINGS, [row.cells() for row in found]),
            *(f"Not measured, or not in all rounds: {name}: {why}" for name, why in self.skipped.items()),
        ]
        if together := cpu(self.rounds):
            parts.append(markdown(CPU_HEADINGS, together))
        if alerts := self._alerts():
            parts.append(alerts)
        return "\n\n".join(parts) + "\n"

    def document(self) -> dict[str, Any]:
        """For machines."""
        return {
            "date": self.date,
            "scenario": asdict(self.scenario),
            "partitions": self.partitions,
            "rate": self.rate,
            "machine": asdict(self.machine),
            "table": [asdict(row) for row in rows(self.rounds)],
            "rounds": [{**asdict(one), "events_per_second": one.events_per_second} for one in self.rounds],
            "skipped": dict(self.skipped),
        }

    def write(self, folder: Path = RESULTS) -> Path:
        """Writes both; the Markdown's path."""
        return save(folder, self.name, self.document(), self.text())

    def _came(self) -> str:
        return f"a backlog that came at {self.rate:,.0f} events/s" if self.rate else "a backlog of six days"

    def _alerts(self) -> str:
        """Alerts by rule in the last round of each: late events may make some differ, but not by much."""
        last = {one.contestant: one.alerts for one in self.rounds if one.timeline is not None}
        rules = sorted({rule for alerts in last.values() for rule in alerts})
        lines = [(name, *(f"{alerts.get(rule, 0):,}" for rule in rules)) for name, alerts in last.items()]
        return markdown(("alerts in the last round", *rules), lines) if rules else ""
