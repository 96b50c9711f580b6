"""How answers are printed: lines for people, JSON for programs. What is drawn is in ``tables``."""

from __future__ import annotations

import json
import os
import select
import sys
from typing import IO, Any


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
