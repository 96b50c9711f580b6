"""The bytes of a file of events as UTF-8: gzip and UTF-16 are decoded, other formats are refused by name."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from .problem import Code, Problem

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 1024 * 1024
"""Bytes of one read; the first chunk tells the format of the file."""

GZIP = b"\x1f\x8b"
PACKED = {
    b"PK\x03\x04": ("a ZIP archive, or a spreadsheet", "unzip -p {file} | cxbus send -"),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "zstd -dc {file} | cxbus send -"),
    b"BZh": ("compressed with bzip2", "bzip2 -dc {file} | cxbus send -"),
    b"\xfd7zXZ\x00": ("compressed with xz", "xz -dc {file} | cxbus send -"),
}
WRITTEN_AS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the byte order mark of UTF-16, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"{\0", "utf-16-le"),
    (b"[\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
    (b"\0[", "utf-16-be"),
)
TABLE = ",;\t|"
"""Characters that separate the columns of a CSV file."""


class Stream(io.RawIOBase):
    """The stream ``rest`` with ``head`` put back in front: the bytes read to detect its format."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read into ``buffer`` what is available; 0 at the end."""
        into = memoryview(buffer).cast("B")
        some = self._head[: len(into)] or self._rest.read(len(into))
        self._head = self._head[len(some) :]
        into[: len(some)] = some
        return len(some)


def opened(file: str) -> IO[bytes]:
    """The file, or stdin for ``-``. Raises ``Problem`` when it can't be read."""
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}.", Code.USAGE) from error


def plain(source: IO[bytes], file: str) -> IO[bytes]:
    """``source`` decoded to UTF-8 without a byte order mark, to be read once. ``file`` is its name for errors.

    Raises ``Problem`` for other formats; the message names the format and what to do.
    """
    head = source.read(CHUNK)
    if head.startswith(GZIP):
        return plain(cast("IO[bytes]", _Gzip(io.BufferedReader(Stream(head, source)), file)), file)
    for magic, (what, command) in PACKED.items():
        if head.startswith(magic):
            wish = command.format(file="FILE" if file == "-" else file)
            raise Problem(f"{file} is {what}. Unpack it: {wish}", Code.WRONG)
    for mark, encoding in WRITTEN_AS:
        if head.startswith(mark):
            return plain(io.BufferedReader(_Transcoded(io.BufferedReader(Stream(head, source)), file, encoding)), file)
    head = head.removeprefix(codecs.BOM_UTF8)
    _no_events(head, file)
    return io.BufferedReader(Stream(head, source), CHUNK)


class _Gzip(gzip.GzipFile):
    """A gzip file that raises ``Problem`` when it is damaged."""

    def __init__(self, packed: IO[bytes], file: str) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._file = file

    def read(self, size: int | None = -1) -> bytes:
        """See ``GzipFile.read``. Raises ``Problem``."""
        try:
            return super().read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Problem(f"{self._file} is gzip, but damaged or cut short ({error}).", Code.WRONG) from error


class _Transcoded(io.RawIOBase):
    """Transcodes a text of ``encoding`` to UTF-8."""

    def __init__(self, source: IO[bytes], file: str, encoding: str) -> None:
        self._source = source
        self._file = file
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read into ``buffer`` what is available; 0 at the end. Raises ``Problem``."""
        while not self._ready and not self._ended:
            chunk = self._source.read(CHUNK)
            self._ended = not chunk
            try:
                self._ready = self._decoder.decode(chunk, final=self._ended).encode()
            except UnicodeDecodeError as error:
                what = f"{self._file} looks like {self._encoding[:6].upper()}, but is not ({error.reason})"
                raise Problem(f"{what}; write it as UTF-8.", Code.WRONG) from error
        into = memoryview(buffer).cast("B")
        some, self._ready = self._ready[: len(into)], self._ready[len(into) :]
        into[: len(some)] = some
        return len(some)


def _no_events(head: bytes, file: str) -> None:
    """Raises ``Problem`` if the first line shows another format than JSON. Anything else is left to the parser."""
    line = head.lstrip().partition(b"\n")[0].decode(errors="replace")
    what = ""
    if line.startswith("<"):
        what = "looks like XML or HTML"
    elif line and line[0] not in '{["' and any(2 <= len(line.split(sign)) for sign in TABLE):
        what = "looks like a table (CSV)"
    if what:
        raise Problem(
            f"{file} {what}; expected events as JSON, one in each line. `cxbus schemas show TYPE` shows an example.",
            Code.WRONG,
        )
