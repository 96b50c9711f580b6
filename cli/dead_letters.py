"""Dead letters: records that could not be used, with the reason, where they came from, and what became of a retry."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.kafka.record import Record
from schemas.dead_letter import ERRORS, RETRY_OF, told

_OFFSET = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Cut:
    """What a record was of which a letter keeps the beginning: bytes of key and value, how many headers."""

    key_bytes: int
    value_bytes: int
    headers: int
    sha256: str
    """Of the value, in hex; empty where there was none."""

    def of(self, value: bytes | None) -> bool:
        """Whether this is the value that was cut."""
        return (hashlib.sha256(value).hexdigest() if value is not None else "") == self.sha256


@dataclass(frozen=True, slots=True)
class DeadLetter:
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
    last: int | None = None
    """The last offset, when it is about all records from its origin up to there."""
    cut: Cut | None = None
    """When it has only the beginning of what came."""
    copies: int = 1
    again: int | None = None

    @property
    def offset(self) -> int:
        """Of its origin; -1 where none is told."""
        text = self.origin.rpartition("/")[2]
        return int(text) if self.topic and _OFFSET.fullmatch(text) else -1

    @property
    def partition(self) -> int:
        """Of its origin; -1 where none is told."""
        text = self.origin.split("/")[1]
        return int(text) if self.topic and _OFFSET.fullmatch(text) else -1

    def about(self, place: str) -> bool:
        """Whether it is about the record at this place, ``<topic>/<partition>/<offset>``."""
        if self.last is None:
            return place == self.origin
        log, _, offset = place.rpartition("/")
        inside = _OFFSET.fullmatch(offset) is not None and self.offset <= int(offset) <= self.last
        return inside and log == self.origin.rpartition("/")[0]


def letters(records: Iterable[Record]) -> list[DeadLetter]:
    """The letters among ``records`` of the dead letters' topic, oldest first; copies of one count once.

    A copy has the same origin: the record was judged twice, after a crash, say.
    """
    found: dict[tuple[str, str], DeadLetter] = {}
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
        # a department may send such a header with anything: it hides no other department's letter
        if first is not None and found[first].number < letter.number and found[first].topic == letter.topic:
            found[first] = replace(found[first], again=letter.number)
    return list(found.values())


def _letter(record: Record) -> DeadLetter:
    said = {name: value.decode(errors="replace") for name, value in told(record.headers).items()}
    topic = said.get("topic", "")
    place = f"{record.topic}/{record.partition}/{record.offset}"
    # what somebody else put there is a letter without an origin, and a copy of nothing
    parts = (topic, said.get("partition", "?"), said.get("offset", "?")) if topic else (place,)
    return DeadLetter(
        number=record.offset,
        place=place,
        at=record.timestamp * 1000,
        topic=topic,
        origin="/".join(parts),
        stage=said.get("stage", ""),
        reason=said.get("exception", ""),
        message=said.get("message", ""),
        key=record.key,
        value=record.value,
        headers=tuple((n, v) for n, v in record.headers if not n.startswith(ERRORS) and n != RETRY_OF),
        retry_of=next((v.decode(errors="replace") for n, v in record.headers if n == RETRY_OF and v is not None), None),
        last=_number(said, "last-offset"),
        cut=_cut(said),
    )


def _cut(said: Mapping[str, str]) -> Cut | None:
    if "cut" not in said:
        return None
    key, value, headers = (_number(said, name) or 0 for name in ("key-bytes", "value-bytes", "headers"))
    return Cut(key, value, headers, said.get("value-sha256", ""))


def _number(said: Mapping[str, str], name: str) -> int | None:
    text = said.get(name, "")
    return int(text) if _OFFSET.fullmatch(text) else None


def unsendable(letter: DeadLetter, most: int) -> str | None:
    """Why it can't be published once more, in words; ``None`` if it can. ``most``: bytes that an event may have."""
    if not letter.topic:
        return "it has no origin"
    if letter.topic.partition(".events.")[1] == "":
        return f"nobody publishes events on {letter.topic}"
    if letter.last is not None:
        return "it is about records that could not be unpacked"
    size = letter.cut.value_bytes if letter.cut else len(letter.value or b"")
    if size > most:
        return f"its value has {size} bytes, and an event may have {most}"
    if letter.cut:
        return "its key and headers are more than a topic takes"
    return None


def chosen(found: Iterable[DeadLetter], which: str) -> DeadLetter | None:
    """The letter of a number or an origin."""
    return next((one for one in found if which in (str(one.number), one.place) or one.about(which)), None)
