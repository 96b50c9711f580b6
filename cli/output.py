"""How answers are printed: tables and lines for people, JSON for programs."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

WIDE = 10_000
"""Columns of what goes into a file or a pipe: nothing is wrapped or cut there."""


WHOLE = frozenset({"time", "since", "id", "n", "pid"})
"""Columns whose cells stay in one line, to be read at a glance or copied."""


def document(value: Any) -> None:
    """One JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def json_line(value: Any) -> None:
    """One line of JSON lines, at once."""
    print(json.dumps(value, ensure_ascii=False, default=str), flush=True)


def shown(value: object) -> str:
    """``value`` as text in which everything a terminal might obey is spelt out: it comes from who knows where."""
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in str(value))


def say(*lines: str) -> None:
    """Lines for people."""
    for line in lines:
        print(line, flush=True)


def note(words: str) -> None:
    """An aside, on stderr, so that it is in nobody's pipe."""
    print(words, file=sys.stderr)


def obeys_escapes() -> bool:
    """Whether the terminal, if there is one, does more than print."""
    return os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def unread() -> bool:
    """Whether stdout or stderr takes nothing any more. From then on what is written there goes nowhere."""
    gone = [stream for stream in (sys.stdout, sys.stderr) if not _is_read(stream)]
    for stream in gone:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    return bool(gone)


def _is_read(stream: IO[str]) -> bool:
    try:
        stream.flush()
    except OSError:  # nobody is there, or no room
        return False
    try:
        asked = select.poll()
        asked.register(stream.fileno(), 0)  # errors are always told
        return not asked.poll(0)
    except OSError:  # it is no file, as in a test: nobody can leave it
        return True


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """A plain table, its columns as wide as they must be. ``right`` names columns of numbers."""
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for header in headers:
        justify: Literal["left", "right"] = "right" if header in right else "left"
        drawn.add_column(header, justify=justify, overflow="fold", no_wrap=header in WHOLE)
    for row in rows:
        drawn.add_row(*(shown(cell) for cell in row))
    draw(drawn)


def facts(rows: Iterable[tuple[str, object]]) -> None:
    """Names and what they are, one line each; empty ones are left out."""
    from rich.table import Table

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
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, emoji=False, width=WIDE)
