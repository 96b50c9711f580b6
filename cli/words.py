"""Formats the bus's values for people. Instants are shown in UTC."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VALUE, _LINE = 60, 200
"""Most characters of one value, and of all values of an event together."""


def activation() -> str | None:
    """The command that makes `cxbus` available in a new terminal; ``None`` if it is on the PATH."""
    activate = Path(sys.executable).with_name("activate")
    if shutil.which("cxbus") or not activate.exists():
        return None
    inside = activate.is_relative_to(Path.cwd())
    return f"source {activate.relative_to(Path.cwd()) if inside else activate}"


def moment(instant: int | None) -> str:
    """UTC microseconds as ``2026-03-02 09:00:00Z``."""
    return "" if instant is None else f"{_EPOCH + timedelta(microseconds=instant):%Y-%m-%d %H:%M:%SZ}"


def moment_of(text: Any) -> str:
    """An RFC 3339 time in the same form; anything else unchanged."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    except (TypeError, ValueError, OverflowError):
        return str(text)


def happening(event_type: str) -> str:
    """``service.case.opened.v1`` as ``case opened``."""
    parts = event_type.split(".")
    return " ".join(parts[1:3]).replace("_", " ") if len(parts) == 4 else event_type


def details(data: Mapping[str, Any]) -> str:
    """The fields of an event without the customer: ``caseId K1, category complaint``."""
    return _cut(", ".join(f"{name} {value_of(value)}" for name, value in data.items() if name != "customer"), _LINE)


def value_of(value: Any) -> str:
    """A value of an event as short text."""
    if isinstance(value, Mapping):
        return "{…}"
    if isinstance(value, list):
        simple = len(value) <= 3 and not any(isinstance(item, Mapping | list) for item in value)
        return f"[{', '.join(map(str, value))}]" if simple else f"[{count(len(value), 'item')}]"
    return _cut(str(value), _VALUE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def named(identifiers: Iterable[Mapping[str, Any]]) -> str:
    """``customer_no C-…42, email a…@example.com``."""
    return ", ".join(f"{known.get('type')} {known.get('value')}" for known in identifiers)


def matters(found: Iterable[Mapping[str, Any]]) -> str:
    """Open matters, one a line: ``case K1 since 2026-03-02 09:00:00Z (category complaint)``."""
    lines = []
    for matter in found:
        more = {name: value for name, value in matter.items() if name not in ("entity", "id", "since")}
        aside = f" ({details(more)})" if more else ""
        lines.append(f"{matter.get('entity')} {matter.get('id')} since {moment_of(matter.get('since'))}{aside}")
    return "\n".join(lines)


def count(number: int, noun: str) -> str:
    """``1 event``, ``2 events``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
