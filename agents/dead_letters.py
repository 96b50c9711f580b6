"""Dead letters: what could not be used, unchanged, with the reason in headers.

A record may be larger than any topic of the bus allows: Kafka limits the compressed size. Of such a record the dead
letter keeps the beginning, and says how large it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from engine.transactional.transaction import Output
from schemas.dead_letter import ERRORS, RETRY_OF
from schemas.journal import Header, Origin
from schemas.refusal import Refusal
from schemas.topics import DEAD

__all__ = [
    "CUT_HEADERS",
    "CUT_HEADER_BYTES",
    "CUT_KEY",
    "CUT_VALUE",
    "ERRORS",
    "RETRY_OF",
    "WHOLE",
    "dead_letter",
    "size",
]

WHOLE = 1024 * 1024
"""Bytes of key, value and headers together up to which a record is kept unchanged."""
CUT_KEY, CUT_VALUE = 4 * 1024, 64 * 1024
CUT_HEADERS, CUT_HEADER_BYTES = 64, 1024
"""Limits for a cut record: bytes of the key and of the value; number of headers, bytes of each with its name."""
MESSAGE = 2_000
"""Bytes at most of the sentence that says what was wrong."""
_FRAMING = 10
"""Bytes that a header takes beside its name and its value."""


def dead_letter(
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[Header],
    stage: str,
    origin: Origin,
    dead: Refusal,
    last: int | None = None,
) -> Output:
    """The dead letter for a record that was published at ``origin`` and that ``stage`` could not use.

    ``last``: it stands for all records from the origin's offset up to this one. A record of more than ``WHOLE`` bytes
    is cut: the dead letter then says how large it was, and the SHA-256 of its value.
    """
    error_headers = [
        ("stage", stage.encode()),
        ("topic", origin.topic.encode()),
        ("partition", b"%d" % origin.partition),
        ("offset", b"%d" % origin.offset),
        ("exception", dead.reason.encode()),
        ("message", dead.message.encode("utf-8", "replace")[:MESSAGE].decode("utf-8", "ignore").encode()),
    ]
    if last is not None:
        error_headers.append(("last-offset", b"%d" % last))
    if size(key, value, headers) > WHOLE:
        error_headers += _measured(key, value, headers)
        key = None if key is None else key[:CUT_KEY]
        value = None if value is None else value[:CUT_VALUE]
        headers = [_cut(header) for header in headers[:CUT_HEADERS]]
    return Output(
        DEAD, 0, key, value, (*headers, *((ERRORS + name, text) for name, text in error_headers)), marked=False
    )


def size(key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> int:
    """Bytes of a record before compression."""
    names = sum(len(name) if name.isascii() else len(name.encode()) for name, _ in headers)
    framed = sum(len(value) + _FRAMING for _, value in headers)
    return len(key or b"") + len(value or b"") + names + framed


def _measured(key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> Iterator[Header]:
    yield "cut", b"1"
    if key is not None:
        yield "key-bytes", b"%d" % len(key)
    if value is not None:
        yield "value-bytes", b"%d" % len(value)
        yield "value-sha256", hashlib.sha256(value).hexdigest().encode()
    yield "headers", b"%d" % len(headers)


def _cut(header: Header) -> Header:
    """The header, its value cut to what fits after its name; a long name is cut to half of the limit."""
    name = header[0].encode()[: CUT_HEADER_BYTES // 2].decode("utf-8", "ignore")
    return name, header[1][: CUT_HEADER_BYTES - len(name.encode())]
