"""Reads a file of events: JSON lines, a JSON array, or multi-line JSON. Each event has its place, for errors.

Only one event and the current chunk are in memory, whatever the size of the file.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

import orjson

from .event_stream import CHUNK, Stream

LONGEST = 1024 * 1024
"""Bytes of one event in the file, four times what an event may have; a longer one is not read."""


@dataclass(frozen=True, slots=True)
class FileEvent:
    """One event of the file. ``parsed`` is None if it is not JSON; ``wrong`` then says why.

    ``value`` is empty if the event could not be read at all.
    """

    place: str
    value: bytes
    parsed: Any
    wrong: str = ""


def read(stream: IO[bytes]) -> Iterator[FileEvent]:
    """The events of a UTF-8 stream, in file order."""
    head = stream.read(LONGEST)
    rest = Stream(head, stream)
    if _is_document(head.lstrip()):
        return _Values(cast("IO[bytes]", io.BufferedReader(rest, CHUNK))).events()
    return _lines(rest)


def _is_document(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is read value by value instead of line by line.

    True for an array, for a first value of several lines, and for a broken first value if no single line is an event.
    """
    if not head.startswith(b"{"):
        return head.startswith(b"[")
    text = head.decode(errors="replace")
    try:
        _, end = _DECODER.raw_decode(text)
        return "\n" in text[:end]
    except (ValueError, RecursionError):
        lines = head.rstrip().split(b"\n")
        return len(lines) > 1 and not any(map(_is_event, lines))


def _is_event(line: bytes) -> bool:
    return line.startswith(b"{") and isinstance(_line("", line).parsed, dict)


def _lines(stream: Stream) -> Iterator[FileEvent]:
    reader = io.BufferedReader(stream, CHUNK)
    number = 0
    while line := reader.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = reader.readline(LONGEST)
            yield _too_long(f"line {number}")
        elif line := line.strip():
            yield _line(f"line {number}", line)


def _line(place: str, line: bytes) -> FileEvent:
    try:
        return FileEvent(place, line, orjson.loads(line))
    except orjson.JSONDecodeError as error:
        try:
            line.decode()
        except UnicodeDecodeError as found:
            what = f"byte {found.start + 1} (0x{line[found.start]:02x}) is not UTF-8; write the file as UTF-8"
            return FileEvent(place, line, None, f"not-json: {what}.")
        return FileEvent(place, line, None, f"not-json: {error.msg} at column {error.colno}.")


def _too_long(place: str) -> FileEvent:
    return FileEvent(
        place, b"", None, f"too-large: it has more than {LONGEST} bytes; an event may have at most a quarter of that."
    )


class _Values:
    """The JSON values of a stream, one after the other, in an array or not.

    Invalid UTF-8 is kept as it is; the check of the event refuses it.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._source = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
        self._text = ""
        self._at = 0
        self._line = 1
        """Line number of the beginning of ``_text``."""

    def events(self) -> Iterator[FileEvent]:
        """All events. One that is no JSON is the last: its end can't be found."""
        array = self._next() == "["
        self._at += array
        number = 0
        while (sign := self._next()) and not (array and sign == "]"):
            number += 1
            one = self._value(f"event {number}")
            yield one
            if one.wrong:
                return
            if array and (sign := self._next()) != "]":
                if sign != ",":
                    yield self._wrong("expected , or ]" if sign else _NO_END, self._at)
                    return
                self._at += 1
        self._at += array
        if array and not sign:
            yield self._wrong(_NO_END, len(self._text))
        elif self._next():
            yield self._wrong("something follows the array", self._at)

    def _next(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._at = self._at if blanks is None else blanks.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def _fill(self) -> bool:
        """Read the next chunk and drop the text before ``_at``; False at the end."""
        more = self._source.read(CHUNK)
        if more:
            self._line += self._text.count("\n", 0, self._at)
            self._text = self._text[self._at :] + more
            self._at = 0
        return bool(more)

    def _value(self, place: str) -> FileEvent:
        while True:
            try:
                parsed, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                return self._wrong("it is nested too deeply", self._at)
            except ValueError as error:
                wrong = getattr(error, "pos", self._at)
                longer = len(self._text) - self._at > LONGEST
                if longer and (wrong - self._at > LONGEST or str(error).startswith(_IN_A_STRING)):
                    return _too_long(place)
                if longer or not self._fill():
                    return self._wrong(getattr(error, "msg", str(error)), wrong)
            else:
                value = self._text[self._at : end].encode(errors="surrogateescape")
                self._at = end
                return FileEvent(place, value, parsed)

    def _wrong(self, what: str, at: int) -> FileEvent:
        """An event with the error ``what`` at the position ``at`` of ``_text``."""
        line = self._line + self._text.count("\n", 0, at)
        column = at - self._text.rfind("\n", 0, at)
        return FileEvent(f"line {line}", b"", None, f"not-json: {what} at column {column}.")


_DECODER = json.JSONDecoder()
_NO_END = "the array does not end"
_IN_A_STRING = "Unterminated string"
"""How the decoder's message begins if the text ends inside a string; its position is then the string's beginning."""
_BLANKS = re.compile("[ \t\r\n]*")
