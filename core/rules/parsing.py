"""Parses rules: ``parse_rule`` reads the mapping that a YAML file holds, ``parse_condition`` a part of it."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence

from ..bounds import size
from ..timeline.vocabulary import Vocabulary
from .conditions.condition import Condition
from .conditions.kinds import KINDS
from .conditions.part import Part
from .reading import RuleError, duration, names, stream
from .rule import MOST_NAME, MOST_READ, Rule

SEVERITIES = ("info", "warning", "critical")
KEYS = {
    *("rule", "about", "version", "when", "if", "key", "resolves", "expires", "cooldown", "severity"),
    *("notify", "mutes", "reason", "action", "tests"),
}

MOST_WORDS = 512
"""Most bytes of a rule's reason, and of its action."""


def parse_rule(raw: object, vocabulary: Vocabulary, outreach: Sequence[str] = ()) -> Rule:
    """The rule that ``raw`` describes; ``outreach`` are the departments meant by ``notify: outreach``.

    Raises ``RuleError``.
    """
    if not isinstance(raw, Mapping) or not isinstance(raw.get("rule"), str):
        raise RuleError("rule: a rule file is a mapping that begins with 'rule: <name>'")
    name = raw["rule"]
    try:
        return _parse(raw, name, vocabulary, outreach)
    except RuleError as error:
        raise RuleError(f"rule {name}: {error}") from None


def _parse(raw: Mapping[str, object], name: str, vocabulary: Vocabulary, outreach: Sequence[str]) -> Rule:
    _check_fields(raw)
    if not re.fullmatch(r"[a-z0-9-]{1,64}", name):
        raise RuleError("rule: a name has 1 to 64 small letters, digits and hyphens only")
    severity, key, resolves = str(raw["severity"]), raw.get("key"), raw.get("resolves")
    if severity not in SEVERITIES:
        raise RuleError(f"severity: {raw['severity']!r} is none of {', '.join(SEVERITIES)}")
    if key is not None and not isinstance(key, str):
        raise RuleError("key: is the name of a field of the trigger")
    rule = Rule(
        name=name,
        about=str(raw["about"]),
        version=_version(raw["version"]),
        when=tuple(stream(s, vocabulary, "when") for s in names(raw["when"], "when")),
        condition=parse_condition(raw["if"], "if", vocabulary, key, resolving=False),
        key=key,
        resolves=None if resolves is None else parse_condition(resolves, "resolves", vocabulary, key, resolving=True),
        expires=None if raw.get("expires") is None else duration(raw["expires"], "expires"),
        cooldown=duration(raw.get("cooldown", "7d"), "cooldown"),
        severity=severity,
        notify=_notified(raw["notify"], outreach),
        mutes=tuple(names(raw.get("mutes", []), "mutes")),
        reason=_words(raw, "reason"),
        action=_words(raw, "action"),
        tests=_tests(raw.get("tests")),
    )
    _check_reason(rule.reason)
    if len(rule.reads) > MOST_READ or any(len(read) > MOST_NAME for read in rule.reads):
        raise RuleError(f"it looks at more than {MOST_READ} fields of its trigger, or at one of a very long name")
    return rule


def _check_fields(raw: Mapping[str, object]) -> None:
    unknown = sorted(set(raw) - KEYS)
    if unknown:
        raise RuleError(f"{unknown[0]}: no such field; known are {', '.join(sorted(KEYS))}")
    missing = sorted({"about", "version", "when", "if", "severity", "notify", "reason", "action"} - set(raw))
    if missing:
        raise RuleError(f"{missing[0]}: is missing")


def _version(raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise RuleError(f"version: {raw!r} is not a whole number")
    return raw


def _notified(raw: object, outreach: Sequence[str]) -> tuple[str, ...]:
    notify = outreach if raw == "outreach" else names(raw, "notify")
    departments = {*outreach, "ops"}
    for department in notify:
        if department not in departments:
            raise RuleError(
                f"notify: {department!r} receives no alerts; these departments do: {', '.join(sorted(departments))}"
            )
    if not notify:
        raise RuleError("notify: names no department")
    return tuple(notify)


def _words(raw: Mapping[str, object], part: str) -> str:
    words = str(raw[part])
    if size(words) > MOST_WORDS:
        raise RuleError(f"{part}: has more than {MOST_WORDS} bytes; every alert carries it")
    return words


def parse_condition(raw: object, where: str, vocabulary: Vocabulary, key: str | None, *, resolving: bool) -> Condition:
    """The condition that ``raw`` describes; ``where`` names its place in the file.

    A ``resolving`` condition is evaluated long after the trigger, so it may name the key but no other field of it.
    Raises ``RuleError``.
    """
    return Part(vocabulary, key, resolving, KINDS).condition(raw, where)


def _check_reason(reason: str) -> None:
    try:
        fields = [part[1:] for part in string.Formatter().parse(reason)]
    except ValueError as error:
        raise RuleError(f"reason: {error}; a literal brace is doubled") from None
    for name, form, conversion in fields:
        if name is not None and (not name.isidentifier() or form or conversion):
            raise RuleError(f"reason: {{{name}}} is not a field; write {{campaignId}}, and a literal brace as {{{{")


def _tests(raw: object) -> tuple[Mapping[str, object], ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or not all(isinstance(one, Mapping) for one in raw):
        raise RuleError("tests: is a list of mappings, each with 'it', 'events' and 'alerts'")
    return tuple(raw)
