"""Dead letters: records that could not be used, with the reason, their origin, and the result of a retry."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.kafka.record import Record
from schemas.dead_letter import ERRORS, RETRY_OF, error_headers

_OFFSET = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Cut:
    """The full size of a record that its dead letter holds truncated: bytes of key and value, number of headers."""

    key_bytes: int
    value_bytes: int
    headers: int
    sha256: str
    """SHA-256 of the full value, in hex; empty if there was no value."""

    def of(self, value: bytes | None) -> bool:
        """Whether ``value`` is the full value."""
        return (hashlib.sha256(value).hexdigest() if value is not None else "") == self.sha256


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter. ``number`` is its offset on the dead-letter topic, ``place`` its ``topic/partition/offset``.

    ``origin`` is the ``topic/partition/offset`` of the record. ``again`` is the number of the dead letter that its
    retry became: that one replaces this one.
    """

    number: int
    place: str
    at: int
    """When the dead letter was written (µs)."""
    topic: str
    origin: str
    stage: str
    reason: str
    message: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    """The headers that the department sent."""
    retry_of: str | None
    last: int | None = None
    """The last offset, if the dead letter is about all records from its origin up to this one."""
    cut: Cut | None = None
    """The full size, if the dead letter holds the record truncated."""
    copies: int = 1
    again: int | None = None

    @property
    def offset(self) -> int:
        """The origin's offset; -1 if the origin is not known."""
        text = self.origin.rpartition("/")[2]
        return int(text) if self.topic and _OFFSET.fullmatch(text) else -1

    @property
    def partition(self) -> int:
        """The origin's partition; -1 if the origin is not known."""
        text = self.origin.split("/")[1]
        return int(text) if self.topic and _OFFSET.fullmatch(text) else -1

    def about(self, place: str) -> bool:
        """Whether it is about the record at ``place``, ``<topic>/<partition>/<offset>``."""
        if self.last is None:
            return place == self.origin
        log, _, offset = place.rpartition("/")
        inside = _OFFSET.fullmatch(offset) is not None and self.offset <= int(offset) <= self.last
        return inside and log == self.origin.rpartition("/")[0]


def letters(records: Iterable[Record]) -> list[DeadLetter]:
    """The dead letters in ``records`` of the dead-letter topic, oldest first, without duplicates.

    A duplicate has the same origin and reason: the record was processed twice, for example after a crash.
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
        # any department can send this header: it must not hide another department's dead letter
        if first is not None and found[first].number < letter.number and found[first].topic == letter.topic:
            found[first] = replace(found[first], again=letter.number)
    return list(found.values())


def _letter(record: Record) -> DeadLetter:
    said = {name: value.decode(errors="replace") for name, value in error_headers(record.headers).items()}
    topic = said.get("topic", "")
    place = f"{record.topic}/{record.partition}/{record.offset}"
    # a record that the bus did not write is a dead letter without an origin, and never a duplicate
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
    """Why it can't be published again, as text; ``None`` if it can. ``most``: bytes that an event may have."""
    if not letter.topic:
        return "it names no origin"
    if letter.topic.partition(".events.")[1] == "":
        return f"no department publishes on {letter.topic}"
    if letter.last is not None:
        return "its records could not be decompressed"
    size = letter.cut.value_bytes if letter.cut else len(letter.value or b"")
    if size > most:
        return f"its value has {size} bytes, and an event may have at most {most}"
    if letter.cut:
        return "its key and headers are too large for the topic"
    return None


def chosen(found: Iterable[DeadLetter], which: str) -> DeadLetter | None:
    """The dead letter of a number, a place or an origin; None if there is none."""
    return next((one for one in found if which in (str(one.number), one.place) or one.about(which)), None)
