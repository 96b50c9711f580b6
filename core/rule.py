"""A rule: when it is judged, what must hold, how long the match stands, whom it tells. A value, read from data.

``parse_rule`` takes the mapping a YAML file holds. The conditions are parsed by ``parse_condition``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .bounds import VALUE_BYTES, cut, size
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
from .event import DAY, HOUR, SECOND, Entry
from .features import Where
from .matters import CASE, INVOICE, OPPORTUNITY
from .streams import CONTACT, ENGAGED
from .vocabulary import EventType, Vocabulary

UNITS = {"s": SECOND, "m": 60 * SECOND, "h": HOUR, "d": DAY}
SEVERITIES = ("info", "warning", "critical")
KEYS = {
    *("rule", "about", "version", "when", "if", "key", "resolves", "expires", "cooldown", "severity"),
    *("notify", "mutes", "reason", "action", "tests"),
}


MOST_WORDS = 512
"""Bytes of a rule's reason and of its action."""

MOST_READ, MOST_NAME = 16, 64
"""Fields that a rule looks at in its trigger, and characters of a field's name."""


class RuleError(ValueError):
    """A rule that can't be used. The message names rule, field, what is wrong and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One alert rule. Durations in µs; ``when`` names streams; ``key`` a field of the trigger, or ``None``."""

    name: str
    about: str
    version: int
    when: tuple[str, ...]
    condition: Condition
    key: str | None
    resolves: Condition | None
    expires: int | None
    cooldown: int
    severity: str
    notify: tuple[str, ...]
    mutes: tuple[str, ...]
    reason: str
    action: str
    tests: tuple[Mapping[str, object], ...] = field(default=(), hash=False)
    reads: tuple[str, ...] = field(init=False)
    """The fields of the trigger that the rule looks at: they are its evidence's values."""
    ended_by: frozenset[str] = field(init=False)
    """The streams of which an entry can end a match, or move its end."""

    def __post_init__(self) -> None:
        named = {self.key} if self.key else set()
        reads = self.condition.fields() | named | set(re.findall(r"{(\w+)}", self.reason))
        object.__setattr__(self, "reads", tuple(sorted(reads)))
        features = () if self.resolves is None else self.resolves.features()
        object.__setattr__(self, "ended_by", frozenset(stream for feature in features for stream in feature.streams))

    def fields_of(self, trigger: Entry, kind: EventType) -> dict[str, object]:
        """What the rule looks at in its trigger, an event of this type."""
        data, value = trigger.data, kind.value
        return {name: found for name in self.reads if (found := value(data, name)) is not None}

    def key_of(self, trigger: Entry, kind: EventType) -> str:
        """The instance key of an alert that this triggers: the field's value as text, cut where it is long."""
        value = None if self.key is None else kind.value(trigger.data, self.key)
        return "" if value is None else cut(str(value), VALUE_BYTES)


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
    unknown = sorted(set(raw) - KEYS)
    if unknown:
        raise RuleError(f"{unknown[0]}: no such field; known are {', '.join(sorted(KEYS))}")
    missing = sorted({"about", "version", "when", "if", "severity", "notify", "reason", "action"} - set(raw))
    if missing:
        raise RuleError(f"{missing[0]}: is missing")
    if not re.fullmatch(r"[a-z0-9-]{1,64}", name):
        raise RuleError("rule: a name has 1 to 64 small letters, digits and hyphens only")
    if raw["severity"] not in SEVERITIES:
        raise RuleError(f"severity: {raw['severity']!r} is none of {', '.join(SEVERITIES)}")
    if not isinstance(raw["version"], int) or isinstance(raw["version"], bool):
        raise RuleError(f"version: {raw['version']!r} is no whole number")
    notify = outreach if raw["notify"] == "outreach" else _names(raw["notify"], "notify")
    departments = {*outreach, "ops"}
    for department in notify:
        if department not in departments:
            raise RuleError(f"notify: {department!r} is told no alerts; there are {', '.join(sorted(departments))}")
    if not notify:
        raise RuleError("notify: names nobody")
    _check_reason(str(raw["reason"]))
    for part in ("reason", "action"):
        if size(str(raw[part])) > MOST_WORDS:
            raise RuleError(f"{part}: has more than {MOST_WORDS} bytes; every alert carries it")
    key = raw.get("key")
    if key is not None and not isinstance(key, str):
        raise RuleError("key: is the name of a field of the trigger")
    resolves = raw.get("resolves")
    rule = Rule(
        name=name,
        about=str(raw["about"]),
        version=raw["version"],
        when=tuple(_stream(s, vocabulary, "when") for s in _names(raw["when"], "when")),
        condition=parse_condition(raw["if"], "if", vocabulary, key, resolving=False),
        key=key,
        resolves=None if resolves is None else parse_condition(resolves, "resolves", vocabulary, key, resolving=True),
        expires=None if raw.get("expires") is None else duration(raw["expires"], "expires"),
        cooldown=duration(raw.get("cooldown", "7d"), "cooldown"),
        severity=raw["severity"],
        notify=tuple(notify),
        mutes=tuple(_names(raw.get("mutes", []), "mutes")),
        reason=str(raw["reason"]),
        action=str(raw["action"]),
        tests=_tests(raw.get("tests")),
    )
    if len(rule.reads) > MOST_READ or any(len(read) > MOST_NAME for read in rule.reads):
        raise RuleError(f"it looks at more than {MOST_READ} fields of its trigger, or at one of a very long name")
    return rule


def parse_condition(raw: object, where: str, vocabulary: Vocabulary, key: str | None, *, resolving: bool) -> Condition:
    """The condition that ``raw`` describes; ``where`` names its place in the file.

    A ``resolving`` condition is asked long after the trigger, so it may name the key but no other field of it.
    Raises ``RuleError``.
    """
    if not isinstance(raw, Mapping) or not raw:
        raise RuleError(f"{where}: a condition is a mapping, like {{open: case}}")
    kind = next((k for k in _FIELDS if k in raw), None)
    if kind is None:
        raise RuleError(f"{where}: {', '.join(map(str, raw))} is no condition; known are {', '.join(_FIELDS)}")
    unknown = sorted(set(map(str, raw)) - {kind, *_FIELDS[kind]})
    if unknown:
        raise RuleError(f"{where}: {unknown[0]!r} does not go with {kind!r}")
    value = raw[kind]
    at = f"{where}.{kind}"
    if kind in ("all", "any", "none"):
        items = value if isinstance(value, list) else [value]
        if not items:
            raise RuleError(f"{at}: is empty")
        parts = tuple(
            parse_condition(item, f"{at}[{i}]", vocabulary, key, resolving=resolving) for i, item in enumerate(items)
        )
        return {"all": All, "any": AnyOf, "none": NoneOf}[kind](parts)
    if kind == "field":
        if resolving:
            raise RuleError(f"{at}: what resolves an alert can't look at its trigger")
        tests = [test for test in TESTS if test in raw]
        if len(tests) != 1:
            raise RuleError(f"{at}: needs one of {', '.join(TESTS)}")
        if tests[0] == "in" and not isinstance(raw["in"], list):
            raise RuleError(f"{at}: 'in' takes a list, as in in: [promotion, survey]")
        return Field(str(value), tests[0], raw[tests[0]])
    if kind == "seen":
        streams = tuple(_stream(s, vocabulary, at) for s in _names(value, at))
        within = duration(raw["within"], f"{where}.within") if "within" in raw else 0
        if not within and not resolving:
            raise RuleError(f"{at}: needs 'within', as in within: 48h")
        return Seen(streams, _pairs(raw.get("where"), f"{where}.where"), within)
    if kind == "unanswered":
        if value != CONTACT or not isinstance(raw.get("at_least"), int) or "within" not in raw:
            raise RuleError(f"{at}: is written {{unanswered: contact, at_least: 3, within: 24h}}")
        return UnansweredContacts(raw["at_least"], duration(raw["within"], f"{where}.within"))
    return _in_state(raw, kind, where, key, resolving=resolving)


def _in_state(raw: Mapping[str, object], kind: str, where: str, key: str | None, *, resolving: bool) -> Condition:
    value = raw[kind]
    entity, conditions = next(iter(value.items())) if isinstance(value, Mapping) and value else (value, None)
    if entity not in (CASE, INVOICE, OPPORTUNITY) or (kind == "overdue" and entity != INVOICE):
        raise RuleError(f"{where}.{kind}: {entity!r} is no matter that can be {kind}")
    days = raw.get("days", 0)
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        raise RuleError(f"{where}.days: {days!r} is no whole number of days")
    same = None if raw.get("same") is None else str(raw["same"])
    if resolving and same is not None and same != key:
        raise RuleError(f"{where}.same: what resolves an alert can only name its key ({key})")
    pairs = _pairs(conditions, f"{where}.{kind}.{entity}")
    is_key = same is not None and same == key
    if kind == "open":
        return Open(entity=entity, where=pairs, same=same, same_is_key=is_key)
    if kind == "overdue":
        return Overdue(entity=entity, where=pairs, same=same, same_is_key=is_key, days=days)
    within = duration(raw["within"], f"{where}.within") if "within" in raw else 0
    return Closed(entity=entity, where=pairs, same=same, same_is_key=is_key, within=within)


_FIELDS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "any": (),
    "none": (),
    "field": TESTS,
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
