"""A rule read from data: ``parse_rule`` takes the mapping that a YAML file holds, ``parse_condition`` a part of it."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..bounds import size
from ..timeline.entry import DAY, HOUR, SECOND
from ..timeline.features import Where
from ..timeline.matters import CASE, INVOICE, OPPORTUNITY
from ..timeline.streams import CONTACT, ENGAGED
from ..timeline.vocabulary import Vocabulary
from .conditions import (
    TESTS,
    All,
    AnyOf,
    Closed,
    Condition,
    Field,
    NoneOf,
    Open,
    Overdue,
    Seen,
    UnansweredContacts,
)
from .rule import MOST_NAME, MOST_READ, Rule, RuleError

UNITS = {"s": SECOND, "m": 60 * SECOND, "h": HOUR, "d": DAY}
SEVERITIES = ("info", "warning", "critical")
KEYS = {
    *("rule", "about", "version", "when", "if", "key", "resolves", "expires", "cooldown", "severity"),
    *("notify", "mutes", "reason", "action", "tests"),
}

MOST_WHERE = 128
"""Bytes of what a condition asks of others than its trigger, as JSON."""

MOST_WORDS = 512
"""Bytes of a rule's reason and of its action."""


def duration(text: object, where: str) -> int:
    """``72h`` as µs. Raises ``RuleError``."""
    match = re.fullmatch(r"(\d+)([smhd])", str(text))
    if not match:
        raise RuleError(f"{where}: {text!r} is no duration; write a number and s, m, h or d, like 72h")
    return int(match[1]) * UNITS[match[2]]


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
        when=tuple(_stream(s, vocabulary, "when") for s in _names(raw["when"], "when")),
        condition=parse_condition(raw["if"], "if", vocabulary, key, resolving=False),
        key=key,
        resolves=None if resolves is None else parse_condition(resolves, "resolves", vocabulary, key, resolving=True),
        expires=None if raw.get("expires") is None else duration(raw["expires"], "expires"),
        cooldown=duration(raw.get("cooldown", "7d"), "cooldown"),
        severity=severity,
        notify=_notified(raw["notify"], outreach),
        mutes=tuple(_names(raw.get("mutes", []), "mutes")),
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
        raise RuleError(f"version: {raw!r} is no whole number")
    return raw


def _notified(raw: object, outreach: Sequence[str]) -> tuple[str, ...]:
    notify = outreach if raw == "outreach" else _names(raw, "notify")
    departments = {*outreach, "ops"}
    for department in notify:
        if department not in departments:
            raise RuleError(f"notify: {department!r} is told no alerts; there are {', '.join(sorted(departments))}")
    if not notify:
        raise RuleError("notify: names nobody")
    return tuple(notify)


def _words(raw: Mapping[str, object], part: str) -> str:
    words = str(raw[part])
    if size(words) > MOST_WORDS:
        raise RuleError(f"{part}: has more than {MOST_WORDS} bytes; every alert carries it")
    return words


def parse_condition(raw: object, where: str, vocabulary: Vocabulary, key: str | None, *, resolving: bool) -> Condition:
    """The condition that ``raw`` describes; ``where`` names its place in the file.

    A ``resolving`` condition is asked long after the trigger, so it may name the key but no other field of it.
    Raises ``RuleError``.
    """
    return _Part(vocabulary, key, resolving).read(raw, where)


@dataclass(frozen=True, slots=True)
class _Part:
    """Reads the conditions of one part of a rule, which is ``resolving`` or not."""

    vocabulary: Vocabulary
    key: str | None
    resolving: bool

    def read(self, raw: object, where: str) -> Condition:
        if not isinstance(raw, Mapping) or not raw:
            raise RuleError(f"{where}: a condition is a mapping, like {{open: case}}")
        kind = next((k for k in _FIELDS if k in raw), None)
        if kind is None:
            raise RuleError(f"{where}: {', '.join(map(str, raw))} is no condition; known are {', '.join(_FIELDS)}")
        unknown = sorted(set(map(str, raw)) - {kind, *_FIELDS[kind]})
        if unknown:
            raise RuleError(f"{where}: {unknown[0]!r} does not go with {kind!r}")
        if kind in _GROUPS:
            return self._group(raw[kind], kind, f"{where}.{kind}")
        if kind == "field":
            return self._field(raw, f"{where}.{kind}")
        if kind == "seen":
            return self._seen(raw, where)
        if kind == "unanswered":
            return self._unanswered(raw, where)
        return self._of_matters(raw, kind, where)

    def _group(self, parts: object, kind: str, at: str) -> Condition:
        items: list[object] = parts if isinstance(parts, list) else [parts]
        if not items:
            raise RuleError(f"{at}: is empty")
        return _GROUPS[kind](tuple(self.read(item, f"{at}[{place}]") for place, item in enumerate(items)))

    def _field(self, raw: Mapping[str, object], at: str) -> Condition:
        if self.resolving:
            raise RuleError(f"{at}: what resolves an alert can't look at its trigger")
        tests = [test for test in TESTS if test in raw]
        if len(tests) != 1:
            raise RuleError(f"{at}: needs one of {', '.join(TESTS)}")
        if tests[0] == "in" and not isinstance(raw["in"], list):
            raise RuleError(f"{at}: 'in' takes a list, as in in: [promotion, survey]")
        return Field(str(raw["field"]), tests[0], raw[tests[0]])

    def _seen(self, raw: Mapping[str, object], where: str) -> Condition:
        at = f"{where}.seen"
        streams = tuple(_stream(s, self.vocabulary, at) for s in _names(raw["seen"], at))
        within = duration(raw["within"], f"{where}.within") if "within" in raw else 0
        if not within and not self.resolving:
            raise RuleError(f"{at}: needs 'within', as in within: 48h")
        return Seen(streams, _pairs(raw.get("where"), f"{where}.where"), within)

    def _unanswered(self, raw: Mapping[str, object], where: str) -> Condition:
        at_least = raw.get("at_least")
        if raw["unanswered"] != CONTACT or not isinstance(at_least, int) or "within" not in raw:
            raise RuleError(f"{where}.unanswered: is written {{unanswered: contact, at_least: 3, within: 24h}}")
        return UnansweredContacts(at_least, duration(raw["within"], f"{where}.within"))

    def _of_matters(self, raw: Mapping[str, object], kind: str, where: str) -> Condition:
        value = raw[kind]
        entity, conditions = next(iter(value.items())) if isinstance(value, Mapping) and value else (value, None)
        if entity not in (CASE, INVOICE, OPPORTUNITY) or (kind == "overdue" and entity != INVOICE):
            raise RuleError(f"{where}.{kind}: {entity!r} is no matter that can be {kind}")
        days = raw.get("days", 0)
        if not isinstance(days, int) or isinstance(days, bool) or days < 0:
            raise RuleError(f"{where}.days: {days!r} is no whole number of days")
        same = None if raw.get("same") is None else str(raw["same"])
        if self.resolving and same is not None and same != self.key:
            raise RuleError(f"{where}.same: what resolves an alert can only name its key ({self.key})")
        pairs = _pairs(conditions, f"{where}.{kind}.{entity}")
        is_key = same is not None and same == self.key
        if kind == "open":
            return Open(entity=entity, where=pairs, same=same, same_is_key=is_key)
        if kind == "overdue":
            return Overdue(entity=entity, where=pairs, same=same, same_is_key=is_key, days=days)
        within = duration(raw["within"], f"{where}.within") if "within" in raw else 0
        return Closed(entity=entity, where=pairs, same=same, same_is_key=is_key, within=within)


_GROUPS: Mapping[str, type[All]] = {"all": All, "any": AnyOf, "none": NoneOf}

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "any": (),
    "none": (),
    "field": tuple(TESTS),
    "open": ("same",),
    "closed": ("within", "same"),
    "overdue": ("days", "same"),
    "seen": ("within", "where"),
    "unanswered": ("at_least", "within"),
}


def _check_reason(reason: str) -> None:
    try:
        fields = [part[1:] for part in string.Formatter().parse(reason)]
    except ValueError as error:
        raise RuleError(f"reason: {error}; a literal brace is doubled") from None
    for name, form, conversion in fields:
        if name is not None and (not name.isidentifier() or form or conversion):
            raise RuleError(f"reason: {{{name}}} is no field; write {{campaignId}}, and a literal brace as {{{{")


def _pairs(raw: object, where: str) -> Where:
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise RuleError(f"{where}: is a mapping of fields to values")
    if not all(isinstance(value, str | int | float) for value in raw.values()):
        raise RuleError(f"{where}: a field is one word, number or truth")
    if size(raw) > MOST_WHERE:
        raise RuleError(f"{where}: has more than {MOST_WHERE} bytes; evidence carries it")
    return tuple(sorted(raw.items()))


def _names(raw: object, where: str) -> list[str]:
    names: list[object] = raw if isinstance(raw, list) else [raw]
    found = [name for name in names if isinstance(name, str)]
    if len(found) < len(names):
        raise RuleError(f"{where}: is a name or a list of names")
    return found


def _tests(raw: object) -> tuple[Mapping[str, object], ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or not all(isinstance(one, Mapping) for one in raw):
        raise RuleError("tests: is a list of mappings, each with 'it', 'events' and 'alerts'")
    return tuple(raw)


def _stream(name: str, vocabulary: Vocabulary, where: str) -> str:
    if name not in vocabulary and name not in (CONTACT, ENGAGED):
        raise RuleError(f"{where}: {name!r} is no event type; see `cxbus schemas list`")
    if name in vocabulary and vocabulary[name].note:
        raise RuleError(f"{where}: {name!r} is an answer to an alert, which no rule looks at")
    return name
