"""A rule: when it is judged, what must hold, how long the match stands, whom it tells. A value, read from data.

``parse_rule`` takes the mapping a YAML file holds. The conditions are parsed by ``parse_condition``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .bounds import size
from .conditions import (
    TESTS,
    All,
    AnyOf,
    Condition,
    Field,
    InState,
    NoneOf,
    Seen,
    UnansweredContacts,
)
from .entities import CASE, FIELDS, INVOICE, OPPORTUNITY
from .event import DAY, HOUR, SECOND, Entry
from .timeline import CONTACT, ENGAGED, Need, Places, Plan, Streams
from .vocabulary import Vocabulary

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
    tests: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    reads: tuple[str, ...] = field(init=False)
    """The fields of the trigger that the rule looks at: they are its evidence's values."""
    named: tuple[tuple[str, str], ...] = field(init=False)
    """Matters that the trigger names, as (kind, field)."""
    followed: frozenset[str] = field(init=False)
    """Kinds of matters of which a match's end asks for the one that its key names."""
    ended_by: frozenset[str] = field(init=False)
    """The streams of which an entry can end a match, or move its end."""

    def __post_init__(self) -> None:
        named = {self.key} if self.key else set()
        reads = self.condition.fields() | named | set(re.findall(r"{(\w+)}", self.reason))
        object.__setattr__(self, "reads", tuple(sorted(reads)))
        conditions = [self.condition] if self.resolves is None else [self.condition, self.resolves]
        object.__setattr__(self, "named", tuple({name for one in conditions for name in one.named()}))
        followed = {entity for entity, _ in self.resolves.named()} if self.resolves is not None else ()
        object.__setattr__(self, "followed", frozenset(followed))
        needs = self.resolves.needs() if self.resolves is not None else ()
        object.__setattr__(self, "ended_by", frozenset(need.stream for need in needs))

    def fields_of(self, trigger: Entry, vocabulary: Vocabulary) -> dict[str, Any]:
        """What the rule looks at in its trigger."""
        kind = vocabulary[trigger.type]
        return {name: value for name in self.reads if (value := kind.value(trigger.data, name)) is not None}

    def needs(self) -> Iterable[Need]:
        """What must be kept of a timeline to judge this rule on the next event."""
        yield from self.condition.needs()
        if self.resolves is not None:
            yield from self.resolves.needs()


class Bearing(NamedTuple):
    """What an event of certain streams means for the rules.

    ``judged`` are triggered by it; ``ends`` names those of which it can end a match, or move its end; ``places`` is
    where it is kept; ``named`` are the matters that it names for them, and its own, as (kind, field).
    """

    judged: tuple[Rule, ...]
    ends: frozenset[str]
    places: Places
    named: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules in force, the vocabulary they speak, and the plan of what to keep for them and for the profile."""

    rules: tuple[Rule, ...]
    vocabulary: Vocabulary
    plan: Plan
    longest_cooldown: int = field(init=False)
    """Of all rules in force, also where these are but some of them (µs)."""
    _bearings: dict[Streams, Bearing] = field(default_factory=dict, repr=False, compare=False)
    """Answers given before: they are asked for at every event."""
    _touched: dict[Streams, RuleSet] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "longest_cooldown", max((rule.cooldown for rule in self.rules), default=0))

    @classmethod
    def of(cls, rules: Iterable[Rule], vocabulary: Vocabulary) -> RuleSet:
        ordered = tuple(sorted(rules, key=lambda rule: rule.name))
        matters = [Need(entity, fields) for entity, fields in FIELDS.items()]
        return cls(ordered, vocabulary, Plan([*matters, *(n for rule in ordered for n in rule.needs())], vocabulary))

    def bearing(self, streams: Streams) -> Bearing:
        """What an event of these streams means."""
        found = self._bearings.get(streams)
        if found is None:
            found = self._bearings[streams] = self._bearing(streams)
        return found

    def _bearing(self, streams: Streams) -> Bearing:
        judged = tuple(rule for rule in self.rules if not set(streams).isdisjoint(rule.when))
        places = self.plan.places(streams)
        ends = frozenset(rule.name for rule in self.rules if not rule.ended_by.isdisjoint(places))
        role = self.vocabulary[streams[0]].entity if streams else None
        own = set() if role is None else {(role.entity, role.id_field)}
        return Bearing(judged, ends, places, tuple(sorted(own.union(*(rule.named for rule in judged)))))

    def touched_by(self, streams: Streams) -> RuleSet:
        """The rules of which an event of these streams, wherever it joins, can change a match or its end."""
        found = self._touched.get(streams)
        if found is None:
            judged, asked = self.bearing(streams).judged, set(streams)
            rules = (r for r in self.rules if r in judged or any(need.stream in asked for need in r.needs()))
            found = self._touched[streams] = RuleSet(tuple(rules), self.vocabulary, self.plan)
            object.__setattr__(found, "longest_cooldown", self.longest_cooldown)
        return found

    def by_name(self, name: str) -> Rule | None:
        """The rule, if it is (still) loaded."""
        return next((rule for rule in self.rules if rule.name == name), None)


def duration(text: Any, where: str) -> int:
    """``72h`` as µs. Raises ``RuleError``."""
    match = re.fullmatch(r"(\d+)([smhd])", str(text))
    if not match:
        raise RuleError(f"{where}: {text!r} is no duration; write a number and s, m, h or d, like 72h")
    return int(match[1]) * UNITS[match[2]]


def parse_rule(raw: Any, vocabulary: Vocabulary, outreach: Sequence[str] = ()) -> Rule:
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


def _parse(raw: Mapping[str, Any], name: str, vocabulary: Vocabulary, outreach: Sequence[str]) -> Rule:
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
        tests=tuple(raw.get("tests") or ()),
    )
    if len(rule.reads) > MOST_READ or any(len(read) > MOST_NAME for read in rule.reads):
        raise RuleError(f"it looks at more than {MOST_READ} fields of its trigger, or at one of a very long name")
    return rule


def parse_condition(raw: Any, where: str, vocabulary: Vocabulary, key: str | None, *, resolving: bool) -> Condition:
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


def _in_state(raw: Mapping[str, Any], kind: str, where: str, key: str | None, *, resolving: bool) -> InState:
    value = raw[kind]
    entity, conditions = next(iter(value.items())) if isinstance(value, Mapping) and value else (value, None)
    if entity not in (CASE, INVOICE, OPPORTUNITY) or (kind == "overdue" and entity != INVOICE):
        raise RuleError(f"{where}.{kind}: {entity!r} is no matter that can be {kind}")
    days = raw.get("days", 0)
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        raise RuleError(f"{where}.days: {days!r} is no whole number of days")
    same = raw.get("same")
    if resolving and same is not None and same != key:
        raise RuleError(f"{where}.same: what resolves an alert can only name its key ({key})")
    return InState(
        entity,
        kind,
        _pairs(conditions, f"{where}.{kind}.{entity}"),
        duration(raw["within"], f"{where}.within") if "within" in raw else 0,
        days,
        same,
        same is not None and same == key,
    )


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


def _pairs(raw: Any, where: str) -> tuple[tuple[str, Any], ...]:
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise RuleError(f"{where}: is a mapping of fields to values")
    if not all(isinstance(value, str | int | float) for value in raw.values()):
        raise RuleError(f"{where}: a field is one word, number or truth")
    return tuple(sorted(raw.items()))


def _names(raw: Any, where: str) -> list[str]:
    names = raw if isinstance(raw, list) else [raw]
    if not all(isinstance(name, str) for name in names):
        raise RuleError(f"{where}: is a name or a list of names")
    return names


def _stream(name: str, vocabulary: Vocabulary, where: str) -> str:
    if name not in vocabulary and name not in (CONTACT, ENGAGED):
        raise RuleError(f"{where}: {name!r} is no event type; see `cxbus schemas list`")
    if name in vocabulary and vocabulary[name].note:
        raise RuleError(f"{where}: {name!r} is an answer to an alert, which no rule looks at")
    return name
