"""A file of events: one event, a JSON array of them, or JSON lines. Each keeps its place, for errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Written:
    """One event as it stands in the file. ``parsed`` is None when it is not JSON, ``wrong`` then says why."""

    place: str
    value: bytes
    parsed: Any
    wrong: str = ""


def read(content: bytes) -> list[Written]:
    """The events of a file, in its order."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        return []
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return _lines(content, error)
    if isinstance(whole, list):
        return [Written(f"event {number}", orjson.dumps(one), one) for number, one in enumerate(whole, 1)]
    return [Written("line 1" if content.strip().count(b"\n") == 0 else "the event", content.strip(), whole)]


def _lines(content: bytes, error: orjson.JSONDecodeError) -> list[Written]:
    """JSON lines; unless no line is JSON by itself: then it is one broken document."""
    lines = [_line(number, line.strip()) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
    if len(lines) > 1 and not any(isinstance(line.parsed, dict) for line in lines):
        return [Written(f"line {error.lineno}", content.strip(), None, error.msg)]
    return lines


def _line(number: int, line: bytes) -> Written:
    try:
        return Written(f"line {number}", line, orjson.loads(line))
    except orjson.JSONDecodeError as error:
        return Written(f"line {number}", line, None, f"{error.msg} at column {error.colno}")
