"""The table: the median of each contestant's rounds, and how the contestants stand to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .race import Round

STREAMS, PLAIN, LIMIT, OTHER = "kafka_streams", "plain_faust", "limit", "other"
TWO = "-2"
"""The names of contestants with two workers, or threads, end so; they are compared with one another."""

HEADINGS = (
    "contestant",
    "events/s",
    "spread",
    "× Kafka Streams",
    "× plain Faust",
    "of the limit",
    "CPU s per million",
    "broker CPU s per million",
    "compiling",
    "MiB",
    "entries",
    "late",
    "alerts",
)

CPU_HEADINGS = ("CPU with the broker's", "µs an event", "× Kafka Streams", "× other", "from", "to")


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of one contestant's rounds; ``None`` where there is nothing to say or to compare with.

    ``spread``: the fastest round's rate less the slowest's, as a share of the median. CPU is without that of the JVMs'
    compilers, which have a column of their own (``compiling``).
    """

    contestant: str
    rounds: int
    events_per_second: float
    spread: float
    by_streams: float | None
    by_plain: float | None
    of_limit: float | None
    cpu_seconds_per_million: float
    broker_cpu_seconds_per_million: float | None
    compiling_seconds_per_million: float
    mebibytes: float
    entries: int | None
    late: int | None
    alerts: int | None

    def cells(self) -> tuple[str, ...]:
        """As people read it."""
        return (
            self.contestant,
            f"{self.events_per_second:,.0f}",
            f"{self.spread:.0%}",
            _cell(self.by_streams, ".2f"),
            _cell(self.by_plain, ".1f"),
            _cell(self.of_limit, ".1%"),
            f"{self.cpu_seconds_per_million:.0f}",
            _cell(self.broker_cpu_seconds_per_million, ".0f"),
            f"{self.compiling_seconds_per_million:.0f}",
            f"{self.mebibytes:,.0f}",
            _cell(self.entries, ","),
            _cell(self.late, ","),
            _cell(self.alerts, ","),
        )


def rows(rounds: Sequence[Round]) -> list[Row]:
    """One for each contestant, the fastest first."""
    names = dict.fromkeys(one.contestant for one in rounds)
    by_name = {name: [one for one in rounds if one.contestant == name] for name in names}
    rates = {name: median(one.events_per_second for one in some) for name, some in by_name.items()}
    return sorted((_row(name, some, rates) for name, some in by_name.items()), key=lambda row: -row.events_per_second)


def _row(name: str, rounds: Sequence[Round], rates: dict[str, float]) -> Row:
    def by(other: str) -> float | None:
        base = _like(name, other)
        return rates[name] / rates[base] if base in rates else None

    speeds = [one.events_per_second for one in rounds]
    brokers = [one.broker_cpu_seconds * 1e6 / one.events for one in rounds if one.broker_cpu_seconds is not None]
    timelines = [one.timeline for one in rounds if one.timeline is not None]
    return Row(
        contestant=name,
        rounds=len(rounds),
        events_per_second=rates[name],
        spread=(max(speeds) - min(speeds)) / rates[name],
        by_streams=by(STREAMS),
        by_plain=by(PLAIN),
        of_limit=by(LIMIT),
        cpu_seconds_per_million=median(one.cpu_seconds * 1e6 / one.events for one in rounds),
        broker_cpu_seconds_per_million=median(brokers) if brokers else None,
        compiling_seconds_per_million=median(one.compiling_seconds * 1e6 / one.events for one in rounds),
        mebibytes=median(one.mebibytes for one in rounds),
        entries=round(median(one.entries for one in timelines)) if timelines else None,
        late=round(median(one.late for one in timelines)) if timelines else None,
        alerts=round(median(sum(one.alerts.values()) for one in rounds)) if timelines else None,
    )


def cpu(rounds: Sequence[Round]) -> list[tuple[str, ...]]:
    """What an event takes of each contestant and of the broker together: the median of the rounds, and those of the
    ratios within each round; of the ratios to the other checkout also the smallest and the largest.

    Nobody when the broker is not on this machine.
    """
    found: dict[str, dict[int, float]] = {}
    for one in rounds:
        if one.broker_cpu_seconds is not None:
            spent = (one.cpu_seconds + one.broker_cpu_seconds) * 1e6 / one.events
            found.setdefault(one.contestant, {})[one.number] = spent
    lines = []
    for name, costs in found.items():
        by_streams, by_other = (_ratios(costs, found.get(_like(name, base), {})) for base in (STREAMS, OTHER))
        shown: list[float | None] = [median(by_streams) if by_streams else None]
        shown += [median(by_other), min(by_other), max(by_other)] if by_other else [None, None, None]
        lines.append((name, f"{median(costs.values()):.0f}", *(_cell(one, ".2f") for one in shown)))
    return lines


def _like(name: str, other: str) -> str:
    """The contestant with as many workers as ``name`` that ``other`` stands for."""
    return other + TWO if name.endswith(TWO) else other


def _ratios(costs: Mapping[int, float], base: Mapping[int, float]) -> list[float]:
    return [cost / base[number] for number, cost in costs.items() if number in base]


def markdown(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table that can be read as text, too: the first column to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    ruler = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(cells, widths) for cells in (headings, ruler, *lines))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return f"| {' | '.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])} |"


def _cell(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
