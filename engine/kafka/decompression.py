"""Decompresses batches within a limit that holds before memory is allocated: a megabyte can become gigabytes.

No size that the compressed bytes state is trusted: each codec writes into a buffer that ends at the limit, and whose
pages are allocated as they are written. Works on bytes only, without a Kafka client.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from enum import Enum
from mmap import mmap
from threading import local
from typing import NamedTuple

import cramjam

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
"""The codecs' numbers in the attributes of a batch."""

FED, STEP = 16 * 1024, 1024 * 1024
"""Bytes that gzip reads, and bytes that it writes, at a time."""

SMALL = 1024 * 1024
"""Bytes up to which data is decompressed into a buffer that is reused."""

_Codec = Callable[[memoryview, memoryview], int]
"""Decompresses the first view into the second, and returns the number of bytes written."""

_XERIAL = b"\x82SNAPPY\0"
_XERIAL_HEADER = 16


class Flaw(Enum):
    """Why a batch, or the rest of it, could not be read."""

    TOO_LARGE = "too large"
    UNREADABLE = "unreadable"


class Unpacked(NamedTuple):
    """``data`` begins with the given head. With a flaw it ends where decompression stopped, perhaps after the head."""

    data: memoryview
    flaw: Flaw | None


class _Scratch(local):
    """One thread's reused buffer."""

    def __init__(self) -> None:
        self.body = memoryview(bytearray(SMALL))


_scratch = _Scratch()


class _TooLarge(Exception):
    """The data does not fit into the buffer, which holds its first ``written`` bytes."""

    def __init__(self, written: int) -> None:
        self.written = written


def unpack(codec: int, packed: memoryview, limit: int, head: bytes = b"") -> Unpacked:
    """``head`` and the decompressed data, at most ``limit`` bytes of it; more is a flaw. Raises nothing."""
    unpacked = _CODECS.get(codec)
    if unpacked is None:
        return Unpacked(memoryview(bytearray(head)), Flaw.UNREADABLE)
    scratch = _scratch.body[: min(limit, SMALL)]
    written, flaw = _into(scratch, unpacked, packed)
    if flaw is not Flaw.TOO_LARGE or limit <= SMALL:
        found = bytearray(head)
        found += scratch[:written]
        return Unpacked(memoryview(found), flaw)
    buffer = memoryview(mmap(-1, len(head) + limit))
    buffer[: len(head)] = head
    written, flaw = _into(buffer[len(head) :], unpacked, packed)
    return Unpacked(buffer[: len(head) + written], flaw)


def _into(body: memoryview, unpacked: _Codec, packed: memoryview) -> tuple[int, Flaw | None]:
    try:
        return unpacked(packed, body), None
    except _TooLarge as error:
        return error.written, Flaw.TOO_LARGE
    except (cramjam.DecompressionError, zlib.error, ValueError, EOFError):
        return 0, Flaw.UNREADABLE


def _gzip(packed: memoryview, body: memoryview) -> int:
    """Gzip members one after the other, perhaps padded with zeros. Raises ``zlib.error``, ``EOFError``."""
    written = at = 0
    while at < len(packed):
        member, left = zlib.decompressobj(wbits=31), b""
        while not member.eof:
            if not left:
                left = bytes(packed[at : at + FED])
                at += len(left)
            piece = member.decompress(left, min(STEP, len(body) - written + 1))
            fitting = min(len(piece), len(body) - written)
            body[written : written + fitting] = piece[:fitting]
            written += fitting
            if fitting < len(piece):
                raise _TooLarge(written)
            left = member.unconsumed_tail
            if not (piece or left or member.eof) and at == len(packed):
                raise EOFError
        at -= len(member.unused_data)
        while at < len(packed) and not packed[at]:
            at += 1
    return written


def _snappy(packed: memoryview, body: memoryview) -> int:
    """One snappy block, or the blocks of the xerial framing; each states its decompressed size first."""
    if packed[: len(_XERIAL)] != _XERIAL or len(packed) < _XERIAL_HEADER:
        return _block(packed, body, 0)
    written, at = 0, _XERIAL_HEADER
    while at < len(packed):
        end = at + 4 + int.from_bytes(packed[at : at + 4], "big", signed=True)
        if not at + 4 <= end <= len(packed):
            raise ValueError(f"a block of {end - at - 4} bytes")
        written = _block(packed[at + 4 : end], body, written)
        at = end
    return written


def _block(packed: memoryview, body: memoryview, written: int) -> int:
    if cramjam.snappy.decompress_raw_len(packed) > len(body) - written:
        raise _TooLarge(written)
    return written + int(cramjam.snappy.decompress_raw_into(packed, body[written:]))


def _framed(into: _Codec) -> _Codec:
    """Frames of lz4 or zstd, decompressed until the buffer is full."""

    def unpacked(packed: memoryview, body: memoryview) -> int:
        try:
            return int(into(packed, body))
        except cramjam.DecompressionError as error:
            if str(error) == "failed to write whole buffer":
                raise _TooLarge(len(body)) from error
            raise

    return unpacked


_CODECS: dict[int, _Codec] = {
    GZIP: _gzip,
    SNAPPY: _snappy,
    LZ4: _framed(cramjam.lz4.decompress_into),
    ZSTD: _framed(cramjam.zstd.decompress_into),
}
