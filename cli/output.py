"""Prints results: lines for people, JSON for programs. Tables are in ``tables``."""

from __future__ import annotations

import json
import os
import select
import sys
from typing import IO, Any


def document(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def json_line(value: Any) -> None:
    """Print one line of JSON lines, flushed at once."""
    print(json.dumps(value, ensure_ascii=False, default=str), flush=True)


def shown(value: object) -> str:
    """``value`` as text with all control characters escaped: a terminal must not obey data from outside."""
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in str(value))


def say(*lines: str) -> None:
    """Print lines for people."""
    for line in lines:
        print(line, flush=True)


def note(words: str) -> None:
    """Print a remark on stderr, so that it is not in a pipe."""
    print(words, file=sys.stderr)


def obeys_escapes() -> bool:
    """Whether the terminal, if there is one, understands escape sequences."""
    return os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def unread() -> bool:
    """Whether stdout or stderr was closed by its reader. Such a stream is redirected to the null device."""
    gone = [stream for stream in (sys.stdout, sys.stderr) if not _is_read(stream)]
    for stream in gone:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    return bool(gone)


def _is_read(stream: IO[str]) -> bool:
    try:
        stream.flush()
    except OSError:  # the reader is gone, or there is no space
        return False
    try:
        asked = select.poll()
        asked.register(stream.fileno(), 0)  # poll always reports errors
        return not asked.poll(0)
    except OSError:  # no real file, as in a test: it has no reader to close it
        return True
