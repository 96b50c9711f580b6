"""How aiokafka encodes its requests to Kafka: here in one step.

aiokafka joins the bytes of each part, then those of the part around it, and so on: produced records are copied six
times, a megabyte at a time.
"""

from __future__ import annotations

from typing import Any

from aiokafka.protocol.struct import Struct
from aiokafka.protocol.types import Array, Bytes, Int32, Schema


def install_fast_encoding() -> None:
    """Encode all requests of this process this way, from now on. Repeating it changes nothing."""
    Struct.encode = encoded


def encoded(request: Struct) -> bytes:
    """The same bytes as from aiokafka's own ``encode``, and the same errors."""
    pieces: list[bytes] = []
    _add(request.SCHEMA, [request.__dict__[name] for name in request.SCHEMA.names], pieces)
    return b"".join(pieces)


def _add(kind: Any, value: Any, pieces: list[bytes]) -> None:
    """Add the pieces of a value. Subclasses of these three types encode themselves."""
    if type(kind) is Schema:
        for field, part in zip(kind.fields, value, strict=True):
            _add(field, part, pieces)
    elif type(kind) is Array and value is not None:
        pieces.append(Int32.encode(len(value)))
        for part in value:
            _add(kind.array_of, part, pieces)
    elif kind is Bytes and value is not None:
        pieces += Int32.encode(len(value)), value
    else:
        pieces.append(kind.encode(value))
