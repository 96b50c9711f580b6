"""What the oracle knows of a rule, whoever wrote it down: section 4 by hand, or a rule file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .entry import D, Entry, History


class Found(NamedTuple):
    """An entry that met a condition, with the values that did."""

    entry: Entry
    values: Mapping[str, Any]


def _never(_T: History, _t: int, _fired: int, _key: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``holds``: the evidence beside the trigger, or ``None``. ``over(T, t, fired, key)``: is the match resolved at t?

    That can change when something happens, and ``windows`` (µs) after it, and ``days`` after an invoice is due.
    ``reads``: the trigger's fields that the rule names, in its conditions, its key or its reason.
    """

    name: str
    triggers: Callable[[Entry], bool]
    holds: Callable[[History, Entry], list[Found] | None]
    over: Callable[[History, int, int, str], bool] = _never
    windows: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    key: str | None = None
    expiry: int | None = None
    cooldown: int = 7 * D
    severity: str
    departments: tuple[str, ...]
    reads: tuple[str, ...]
    version: int
    reason: str
    action: str


Rules = Mapping[str, Rule]
"""Those that are loaded, by name."""
