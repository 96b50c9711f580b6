"""Parses the elements of rules: durations, names, fields with values, streams. Anything else is a ``RuleError``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..bounds import size
from ..timeline.entry import DAY, HOUR, SECOND
from ..timeline.features import Where
from ..timeline.streams import CONTACT, ENGAGED
from ..timeline.vocabulary import Vocabulary

UNITS = {"s": SECOND, "m": 60 * SECOND, "h": HOUR, "d": DAY}

MOST_WHERE = 128
"""Most bytes, as JSON, of the values that a condition asks of entries other than its trigger."""


class RuleError(ValueError):
    """A rule that can't be used. The message names rule, field, what is wrong and what would be right."""


def duration(text: object, where: str) -> int:
    """``72h`` as µs. Raises ``RuleError``."""
    match = re.fullmatch(r"(\d+)([smhd])", str(text))
    if not match:
        raise RuleError(f"{where}: {text!r} is not a duration; write a number and s, m, h or d, like 72h")
    return int(match[1]) * UNITS[match[2]]


def names(raw: object, where: str) -> list[str]:
    """One name or several, as a list. Raises ``RuleError``."""
    all_: list[object] = raw if isinstance(raw, list) else [raw]
    found = [name for name in all_ if isinstance(name, str)]
    if len(found) < len(all_):
        raise RuleError(f"{where}: is a name or a list of names")
    return found


def pairs(raw: object, where: str) -> Where:
    """Fields and their values, sorted by field. Raises ``RuleError``."""
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise RuleError(f"{where}: is a mapping of fields to values")
    if not all(isinstance(value, str | int | float) for value in raw.values()):
        raise RuleError(f"{where}: a field is one word, number or truth")
    if size(raw) > MOST_WHERE:
        raise RuleError(f"{where}: has more than {MOST_WHERE} bytes; evidence carries it")
    return tuple(sorted(raw.items()))


def stream(name: str, vocabulary: Vocabulary, where: str) -> str:
    """The name of an event type, or of a stream that several types belong to. Raises ``RuleError``."""
    if name not in vocabulary and name not in (CONTACT, ENGAGED):
        raise RuleError(f"{where}: {name!r} is not an event type; see `cxbus schemas list`")
    if name in vocabulary and vocabulary[name].note:
        raise RuleError(f"{where}: {name!r} is an answer to an alert, which no rule looks at")
    return name
