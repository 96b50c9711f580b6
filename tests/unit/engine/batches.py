"""Record batches as a producer may send them, honest and made up, and what a consumer of ours makes of them."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from struct import Struct
from typing import Any

import cramjam
from aiokafka.codec import snappy_encode
from aiokafka.record.util import calc_crc32c, encode_varint
from aiokafka.structs import TopicPartition

from engine.kafka.decompression import GZIP, LZ4, SNAPPY, ZSTD
from engine.kafka.privates.fetches import _Kept, _Result, _Unpacked
from engine.kafka.record import Record, Unusable

PLACE = TopicPartition("t", 0)
HEAD = Struct(">qiibIhiqqqhii")
CRC_FROM = 21


def _lz4(body: bytes) -> bytes:
    compressor = cramjam.lz4.Compressor(level=1, content_checksum=False, block_linked=False)
    compressor.compress(body)
    return bytes(compressor.finish())


PACK: Mapping[int, Callable[[bytes], bytes]] = {
    0: bytes,
    GZIP: lambda body: gzip.compress(body, 1),
    SNAPPY: snappy_encode,
    LZ4: _lz4,
    ZSTD: lambda body: bytes(cramjam.zstd.compress(body, level=3)),
}
"""What producers do, by the number of the codec."""
NAMES = {0: "none", GZIP: "gzip", SNAPPY: "snappy", LZ4: "lz4", ZSTD: "zstd"}


def number(value: int) -> bytes:
    """A zigzag number."""
    found = bytearray()
    encode_varint(value, found.append)
    return bytes(found)


def record(offset: int, value: bytes, key: bytes | None = None, headers: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """One record of a batch's body."""
    parts = [b"\0", number(0), number(offset)]
    parts += [number(-1)] if key is None else [number(len(key)), key]
    parts += [number(len(value)), value, number(len(headers))]
    for name, content in headers:
        parts += [number(len(name)), name, number(len(content)), content]
    found = b"".join(parts)
    return number(len(found)) + found


def batch(packed: bytes, codec: int, count: int, first: int = 0, last: int | None = None) -> bytes:
    """A batch of the present format with a right CRC around a body that is compressed already."""
    last = first + count - 1 if last is None else last
    head = HEAD.pack(first, HEAD.size - 12 + len(packed), -1, 2, 0, codec, last - first, 7, 7, -1, -1, -1, count)
    found = bytearray(head + packed)
    found[17:21] = calc_crc32c(bytes(found[CRC_FROM:])).to_bytes(4, "big")
    return bytes(found)


def honest(values: Iterable[bytes], codec: int = 0, first: int = 0) -> bytes:
    """A batch of these values."""
    bodies = [record(at, value) for at, value in enumerate(values)]
    return batch(PACK[codec](b"".join(bodies)), codec, len(bodies), first)


class _State:
    paused = False

    def __init__(self, position: int) -> None:
        self.position = position

    def consumed_to(self, position: int) -> None:
        self.position = position


class Fetched:
    """A fetch of one partition in the hands of aiokafka."""

    active = True

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._state = _State(position)
        self.records = _Unpacked(PLACE, _Kept(data), None, position, None, None, True, 1)
        self.result = _Result(PLACE, assignment=self, partition_records=self.records, backoff=0.1)

    def state_value(self, place: object) -> Any:
        return self._state

    @property
    def position(self) -> int:
        """Where the consumer goes on."""
        return self._state.position

    def all(self, most: int = 4000) -> list[Record | Unusable]:
        """Everything that there is, taken in as many pieces as it needs."""
        found: list[Record | Unusable] = []
        for _ in range(5_000):
            if not self.result.has_more():
                return found
            found += self.result.getall(most)
        raise AssertionError(f"it does not end, {len(found)} records so far")
