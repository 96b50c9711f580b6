"""Answers that are drawn: tables, and names with what they are. Apart from ``output`` because Rich takes its time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from rich.console import Console, RenderableType
from rich.table import Table

from .output import say, shown

WIDE = 10_000
"""Columns of what goes into a file or a pipe: nothing is wrapped or cut there."""
WHOLE = frozenset({"time", "since", "id", "n", "pid"})
"""Columns whose cells stay in one line, to be read at a glance or copied."""


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """A plain table, its columns as wide as they must be. ``right`` names columns of numbers."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for header in headers:
        justify: Literal["left", "right"] = "right" if header in right else "left"
        drawn.add_column(header, justify=justify, overflow="fold", no_wrap=header in WHOLE)
    for row in rows:
        drawn.add_row(*(shown(cell) for cell in row))
    draw(drawn)


def facts(rows: Iterable[tuple[str, object]]) -> None:
    """Names and what they are, one line each; empty ones are left out."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    drawn.add_column(style="bold", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in rows:
        if value not in ("", None):
            drawn.add_row(name, "\n".join(shown(line) for line in str(value).split("\n")))
    draw(drawn)


def draw(what: RenderableType) -> None:
    """Print it; in a pipe without colours and without the blanks that fill up lines."""
    console = _console()
    if console.is_terminal:
        console.print(what)
        return
    with console.capture() as captured:
        console.print(what)
    say(*(line.rstrip() for line in captured.get().splitlines()))


def _console() -> Console:
    console = Console(markup=False, highlight=False, emoji=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, emoji=False, width=WIDE)
