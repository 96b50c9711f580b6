"""Rules as their files say them (docs/rules.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .conditions import Asked, duration, holds, listed, parts
from .entry import Entry, History
from .matches import key_of
from .rules import Found, Rule, Rules
from .vocabulary import is_of

OUTREACH = ("finance", "marketing", "sales", "service")


def read(files: Iterable[Mapping[str, Any]]) -> Rules:
    """What the files mean, by the rules' names; what they hold is as YAML gives it."""
    return {rule.name: rule for rule in map(rule_of, files)}


def rule_of(file: Mapping[str, Any]) -> Rule:
    """The rule of one file."""
    key = file.get("key")
    condition, over = file["if"], file.get("resolves")
    conditions = list(parts(condition))
    named = [part[name] for part in conditions for name in ("field", "same") if name in part]
    reads = {*named, *re.findall(r"{(\w+)}", file["reason"]), *([key] if key else [])}
    ends = [] if over is None else list(parts(over))

    def condition_holds(T: History, e: Entry) -> list[Found] | None:
        return holds(condition, Asked(T, e.at, e, e.at, key, key_of(rule, e)))

    def is_over(T: History, t: int, fired: int, instance: str) -> bool:
        return over is not None and holds(over, Asked(T, t, None, fired, key, instance)) is not None

    rule = Rule(
        name=file["rule"],
        triggers=lambda e: any(is_of(e, stream) for stream in listed(file["when"])),
        holds=condition_holds,
        over=is_over,
        windows=frozenset(duration(part["within"]) for part in ends if "within" in part),
        days=frozenset(part.get("days", 0) for part in ends if "overdue" in part),
        key=key,
        expiry=_perhaps(file.get("expires")),
        cooldown=duration(file.get("cooldown", "7d")),
        severity=file["severity"],
        departments=OUTREACH if file["notify"] == "outreach" else tuple(listed(file["notify"])),
        reads=tuple(sorted(reads)),
        version=file["version"],
        reason=file["reason"],
        action=file["action"],
    )
    return rule


def _perhaps(text: str | None) -> int | None:
    return None if text is None else duration(text)
