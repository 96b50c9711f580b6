"""Dead letters: records that could not be used, with the reason, where they came from, and what became of a retry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .feed import Record
from .lines import ERRORS

RETRY_OF = "__cxbus.retry-of"


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. ``number`` is its offset among the dead letters, ``origin`` its place on a department's topic.

    ``again`` is the number of the letter that a retry of this one became; then there is nothing left to do with this.
    """

    number: int
    place: str
    at: int
    """When it was found out (µs)."""
    topic: str
    origin: str
    stage: str
    reason: str
    message: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    """The department's own."""
    retry_of: str | None
    copies: int = 1
    again: int | None = None


def letters(records: Iterable[Record]) -> list[Letter]:
    """The letters among ``records`` of the dead letters' topic, oldest first; copies of one count once.

    A copy has the same origin: the record was judged twice, after a crash, say.
    """
    found: dict[tuple[str, str], Letter] = {}
    place_of: dict[str, tuple[str, str]] = {}
    for record in records:
        letter = _letter(record)
        who = (letter.origin, letter.reason)
        place_of[letter.place] = who
        known = found.setdefault(who, letter)
        if known is not letter:
            found[who] = replace(known, copies=known.copies + 1)
    for letter in list(found.values()):
        first = place_of.get(letter.retry_of or "")
        if first is not None:
            found[first] = replace(found[first], again=letter.number)
    return list(found.values())


def _letter(record: Record) -> Letter:
    told = {name: value.decode(errors="replace") for name, value in record.headers if value is not None}
    topic = told.get(f"{ERRORS}topic", "")
    place = f"{record.topic}/{record.partition}/{record.offset}"
    # what somebody else put there is a letter without an origin, and a copy of nothing
    parts = (topic, told.get(f"{ERRORS}partition", "?"), told.get(f"{ERRORS}offset", "?")) if topic else (place,)
    return Letter(
        number=record.offset,
        place=place,
        at=record.timestamp_ms * 1000,
        topic=topic,
        origin="/".join(parts),
        stage=told.get(f"{ERRORS}stage", ""),
        reason=told.get(f"{ERRORS}exception", ""),
        message=told.get(f"{ERRORS}message", ""),
        key=record.key,
        value=record.value,
        headers=tuple((n, v) for n, v in record.headers if not n.startswith(ERRORS) and n != RETRY_OF),
        retry_of=told.get(RETRY_OF),
    )


def chosen(found: Iterable[Letter], which: str) -> Letter | None:
    """The letter of a number or an origin."""
    return next((one for one in found if which in (str(one.number), one.origin, one.place)), None)
