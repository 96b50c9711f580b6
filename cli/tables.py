"""Prints tables and lists of facts. Separate from ``output`` because Rich is slow to import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from rich.console import Console, RenderableType
from rich.table import Table

from .output import say, shown

WIDE = 10_000
"""Line width for a file or a pipe: nothing is wrapped or truncated there."""
WHOLE = frozenset({"time", "since", "id", "n", "pid"})
"""Columns whose cells are never wrapped, so that they can be copied."""


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Print a plain table. ``right`` names the right-aligned columns."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for header in headers:
        justify: Literal["left", "right"] = "right" if header in right else "left"
        drawn.add_column(header, justify=justify, overflow="fold", no_wrap=header in WHOLE)
    for row in rows:
        drawn.add_row(*(shown(cell) for cell in row))
    draw(drawn)


def facts(rows: Iterable[tuple[str, object]]) -> None:
    """Print (name, value) pairs, one line each; pairs without a value are left out."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    drawn.add_column(style="bold", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in rows:
        if value not in ("", None):
            drawn.add_row(name, "\n".join(shown(line) for line in str(value).split("\n")))
    draw(drawn)


def draw(what: RenderableType) -> None:
    """Print ``what``; in a pipe without colours and trailing blanks."""
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
